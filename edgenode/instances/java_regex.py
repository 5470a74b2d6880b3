r"""Java's regular expressions in the notation of the ``regex`` package.

The rules are those of ``java.util.regex.Pattern`` of Java 17, which genuine servers run.
Flags, letter case and Java's own ideas of lines, words and character classes are
spelled out in the result, so it needs no flag but ``VERSION1`` (nested sets).
Not translated: ``\b{g}``, canonical equivalence, and a group that refers to itself.
"""

import unicodedata
from dataclasses import dataclass

from edgenode.instances.java_characters import (
    ALL,
    ASCII_LETTERS,
    SETS,
    UNICODE_SETS,
    UNICODE_WORD,
    VERTICAL,
    character_variants,
    property_set,
    range_variants,
)
from edgenode.limits import MAX_PATTERN_DEPTH, MAX_PATTERN_ELEMENTS

_END = ""
_DIGITS = frozenset("0123456789")
_HEX = frozenset("0123456789abcdefABCDEF")
_SPACES = frozenset(" \t\n\x0b\f\r")
_MAX_REPEAT = 2**31 - 1

_LARGE_ELEMENT = 40  # it takes as long to compile as this many small ones

_NEVER = "(?!)"
_EMPTY = "(?:)"
_DOT = r"[^\n\r\x85\u2028\u2029]"
_UNIX_DOT = rf"[{ALL}--[\n]]"

_LINE_BREAK = rf"(?:\r\n|{VERTICAL})"
_REPEATED_LINE_BREAK = rf"(?>\r\n|{VERTICAL})"  # Java doesn't split \r\n then
_LINE_END = r"(?=(?:\r\n|(?<!\r)\n|[\r\x85\u2028\u2029])?\Z)"
_EACH_LINE_END = r"(?=(?<!\r)\n|[\r\x85\u2028\u2029]|\Z)"
_UNIX_LINE_END = r"(?=\n?\Z)"
_EACH_UNIX_LINE_END = r"(?=\n|\Z)"
_LINE_START = r"(?:(?!\Z)(?:\A|(?<=[\n\x85\u2028\u2029])|(?<=\r)(?!\n)))"
_UNIX_LINE_START = r"(?:(?!\Z)(?:\A|(?<=\n)))"

# Java 17's word boundary: letters and digits of all scripts, and marks on them.
_BASED = r"[\p{L}\p{Nd}]\p{Mn}*"
_LEFT_WORD = rf"(?:(?<=_)|(?<={_BASED}))"
_RIGHT_WORD = rf"(?:(?=[_\p{{L}}\p{{Nd}}])|(?=\p{{Mn}})(?<={_BASED}))"
_BOUNDARY = f"(?:{_LEFT_WORD}(?!{_RIGHT_WORD})|(?!{_LEFT_WORD}){_RIGHT_WORD})"
_UNICODE_BOUNDARY = (
    f"(?:(?<={UNICODE_WORD})(?!{UNICODE_WORD})|(?<!{UNICODE_WORD})(?={UNICODE_WORD}))"
)

_CHARACTERS = {
    "a": "\x07",
    "e": "\x1b",
    "f": "\f",
    "n": "\n",
    "r": "\r",
    "t": "\t",
}


class PatternSyntaxError(ValueError):
    """A pattern is no Java regular expression, or is past what is accepted here.

    Attributes:
        reason: What is wrong.
        position: Where in the pattern, counted in characters from 0.
    """

    def __init__(self, reason: str, position: int) -> None:
        super().__init__(f"{reason} near index {position}")
        self.reason = reason
        self.position = position


@dataclass(frozen=True, slots=True)
class Translation:
    """A Java pattern in the other notation.

    Attributes:
        expression: The expression, to be compiled with ``VERSION1``.
        required: Texts that every match contains, longest first.
        ignore_case: ASCII letters of ``required`` may stand in either case.
    """

    expression: str
    required: tuple[str, ...]
    ignore_case: bool


def translate(source: str) -> Translation:
    """Translate a Java pattern.

    Raises:
        PatternSyntaxError: It is none, is past the limits, or uses one of the few
            things that aren't translated.
    """
    parser = _Parser(source)
    expression, required = parser.whole()
    longest_first = sorted(set(required), key=lambda text: (-len(text), text))
    return Translation(expression, tuple(longest_first), parser.folds_required)


@dataclass(frozen=True, slots=True)
class _Token:
    r"""One character of the pattern; ``plain`` ones stood between ``\Q`` and ``\E``."""

    text: str
    position: int
    plain: bool = False


def _tokens(source: str) -> list[_Token]:
    tokens = []
    at = 0
    while at < len(source):
        if source.startswith(r"\Q", at):
            end = source.find(r"\E", at + 2)
            stop = len(source) if end < 0 else end
            tokens += [_Token(source[i], i, plain=True) for i in range(at + 2, stop)]
            at = stop + 2
        elif source[at] == "\\":
            tokens += [_Token(c, at + i) for i, c in enumerate(source[at : at + 2])]
            at += 2
        else:
            tokens.append(_Token(source[at], at))
            at += 1
    return tokens


@dataclass(frozen=True, slots=True)
class _Piece:
    """One translated element.

    Attributes:
        text: The translation, ready to be repeated.
        literal: The character it stands for, if certain.
        required: Texts that it must contain.
    """

    text: str
    literal: str | None = None
    required: tuple[str, ...] = ()


class _Required:
    """Collects what a sequence must contain."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self._run = ""

    def add(self, piece: _Piece, *, at_least: int, once: bool) -> None:
        """Take note of a piece that is repeated ``at_least`` times, or just ``once``."""
        if piece.literal is not None and once:
            self._run += piece.literal
            return
        if at_least > 0 and piece.literal is not None:
            self._run += piece.literal
        self.end_run()
        if at_least > 0:
            self.texts += piece.required
            self._run = piece.literal or ""

    def end_run(self) -> None:
        if self._run:
            self.texts.append(self._run)
        self._run = ""


def _quoted(char: str) -> str:
    """A character as itself, inside or outside of a set."""
    if char in ASCII_LETTERS or char in _DIGITS or char == "_":
        return char
    if ord(char) > 0x7F and char.isalpha():
        return char
    return f"\\U{ord(char):08X}"


class _Parser:
    """Reads a pattern once, from the left, as Java's own parser does."""

    def __init__(self, source: str) -> None:
        self._tokens = _tokens(source)
        self._length = len(source)
        self._at = 0
        self._flags: frozenset[str] = frozenset()
        self._groups = 0
        self._open_groups: list[int] = []
        self._names: dict[str, int] = {}
        self._depth = 0
        self._size = 0
        self.folds_required = False

    # reading tokens

    def _error(self, reason: str) -> PatternSyntaxError:
        at_end = self._at >= len(self._tokens)
        position = self._length if at_end else self._tokens[self._at].position
        return PatternSyntaxError(reason, position)

    def _skip_comments(self) -> None:
        if "x" not in self._flags:
            return
        ends = "\n" if "d" in self._flags else "\n\r\x85\u2028\u2029"
        while self._at < len(self._tokens):
            token = self._tokens[self._at]
            if token.plain:
                return
            if token.text == "#":
                while self._raw() not in ends:
                    self._at += 1
            elif token.text not in _SPACES:
                return
            else:
                self._at += 1

    def _raw(self) -> str:
        """The next character, quoted or not; empty at the end."""
        return self._tokens[self._at].text if self._at < len(self._tokens) else _END

    def _peek(self, ahead: int = 0) -> str:
        """The next character that may have a special meaning; else empty."""
        if not ahead:
            self._skip_comments()
        at = self._at + ahead
        if at >= len(self._tokens) or self._tokens[at].plain:
            return _END
        return self._tokens[at].text

    def _done(self) -> bool:
        self._skip_comments()
        return self._at >= len(self._tokens)

    def _take(self, text: str) -> bool:
        """Pass over these characters if they are next."""
        self._skip_comments()
        if any(self._peek(i) != char for i, char in enumerate(text)):
            return False
        self._at += len(text)
        return True

    def _next(self, reason: str) -> str:
        """The next character, whatever it is."""
        if self._at >= len(self._tokens):
            raise self._error(reason)
        self._at += 1
        return self._tokens[self._at - 1].text

    # structure

    def whole(self) -> tuple[str, list[str]]:
        """The whole pattern and the texts it requires."""
        expression, required = self._alternatives()
        if not self._done():
            raise self._error("unmatched closing ')'")
        return expression, required

    def _alternatives(self) -> tuple[str, list[str]]:
        self._depth += 1
        if self._depth > MAX_PATTERN_DEPTH:
            raise self._error("nested too deeply")
        text, required = self._sequence()
        branches = [text]
        while self._take("|"):
            text, _ = self._sequence()
            branches.append(text)
        self._depth -= 1
        return "|".join(branches), required if len(branches) == 1 else []

    def _sequence(self) -> tuple[str, list[str]]:
        texts = []
        required = _Required()
        while not self._done() and self._peek() not in ("|", ")"):
            before = self._size
            piece = self._element()
            if piece is None:
                continue
            quantifier, at_least = self._quantifier()
            self._grow((self._size - before) * max(0, at_least - 1))
            text = piece.text
            if quantifier and text == _LINE_BREAK:
                text = _REPEATED_LINE_BREAK
            elif len(quantifier) > 1 and quantifier.endswith("+"):
                text = f"(?>{text})"  # each round is final, not only all of them
            texts.append(text + quantifier)
            required.add(piece, at_least=at_least, once=not quantifier)
        required.end_run()
        return "".join(texts), required.texts

    def _grow(self, elements: int) -> None:
        """Count elements, each as often as it is repeated at least."""
        self._size += elements
        if self._size > MAX_PATTERN_ELEMENTS:
            raise self._error("too long with its repetitions")

    def _element(self) -> _Piece | None:
        """One element without its quantifier; None where only flags changed."""
        self._grow(1)
        char = self._peek()
        if char in ("*", "+", "?"):
            raise self._error(f"dangling meta character '{char}'")
        if char == "{":
            return _Piece(_EMPTY)  # Java repeats nothing here
        if char == "(":
            self._at += 1
            return self._group()
        if char == "[":
            self._at += 1
            return _Piece(self._set(nested=True))
        if char == "\\":
            self._at += 1
            return self._escape()
        if char == "^":
            self._at += 1
            return _Piece(self._start())
        if char == "$":
            self._at += 1
            return _Piece(self._end(multiline="m" in self._flags))
        if char == ".":
            self._at += 1
            return _Piece(self._dot())
        return self._literal(self._next("unexpected end"))

    def _literal(self, char: str) -> _Piece:
        variants = self._variants(char)
        certain: str | None = char
        if len(variants) > 1:
            self.folds_required = True
            if "u" in self._flags:
                certain = None
        text = "".join(map(_quoted, variants))
        return _Piece(f"[{text}]" if len(variants) > 1 else text, certain)

    def _variants(self, char: str) -> str:
        if "i" not in self._flags:
            return char
        return character_variants(char, unicode="u" in self._flags)

    def _dot(self) -> str:
        if "s" in self._flags:
            return ALL
        return _UNIX_DOT if "d" in self._flags else _DOT

    def _start(self) -> str:
        if "m" not in self._flags:
            return r"(?:\A)"
        return _UNIX_LINE_START if "d" in self._flags else _LINE_START

    def _end(self, *, multiline: bool) -> str:
        if "d" in self._flags:
            return _EACH_UNIX_LINE_END if multiline else _UNIX_LINE_END
        return _EACH_LINE_END if multiline else _LINE_END

    def _quantifier(self) -> tuple[str, int]:
        """A quantifier, empty if there is none, and how often it demands at least."""
        char = self._peek()
        if char in ("*", "+", "?"):
            self._at += 1
            return char + self._manner(), int(char == "+")
        if char != "{":
            return "", 1
        self._at += 1
        least = most = self._number()
        if least is None:
            raise self._error("illegal repetition")
        if self._take(","):
            most = self._number()
        if not self._take("}"):
            raise self._error("unclosed counted closure")
        if max(least, most or 0) > _MAX_REPEAT or (most is not None and most < least):
            raise self._error("illegal repetition range")
        return f"{{{least},{'' if most is None else most}}}{self._manner()}", least

    def _manner(self) -> str:
        for manner in ("?", "+"):
            if self._take(manner):
                return manner
        return ""

    def _number(self) -> int | None:
        digits = ""
        while self._peek() in _DIGITS:
            digits += self._next("unclosed counted closure")
        return int(digits[:11]) if digits else None

    # groups

    def _group(self) -> _Piece | None:
        flags = self._flags
        number = 0
        opening = "("
        required_inside = True
        if self._take("?"):
            opening, number = self._special_group()
            if not opening:
                return None
            required_inside = opening in ("(", "(?:", "(?>")
        else:
            number = self._new_group()
        if number:
            self._open_groups.append(number)
        text, required = self._alternatives()
        if not self._take(")"):
            raise self._error("unclosed group")
        if number:
            self._open_groups.pop()
        self._flags = flags
        text = f"{opening}{text})"
        if not required_inside:  # only groups proper can be repeated everywhere
            return _Piece(f"(?:{text})")
        return _Piece(text, None, tuple(required))

    def _new_group(self) -> int:
        self._groups += 1
        return self._groups

    def _special_group(self) -> tuple[str, int]:
        """What stands after ``(?``: how the group opens, and its number if it has one."""
        for opening in (":", "=", "!", ">", "<=", "<!"):
            if self._take(opening):
                return f"(?{opening}", 0
        if self._take("<"):
            name = self._name()
            if name in self._names:
                raise self._error(f"named capturing group <{name}> is already defined")
            self._names[name] = self._new_group()
            return "(", self._groups
        self._change_flags()
        if self._take(")"):
            return "", 0
        if not self._take(":"):
            raise self._error("unknown inline modifier")
        return "(?:", 0

    def _change_flags(self) -> None:
        switch_off = False
        while self._peek() in frozenset("imsduxU-"):
            flag = self._next("unknown inline modifier")
            if flag == "-":
                if switch_off:
                    raise self._error("unknown inline modifier")
                switch_off = True
                continue
            changed = {"u", "U"} if flag == "U" else {flag}
            self._flags = self._flags - changed if switch_off else self._flags | changed

    def _name(self) -> str:
        name = ""
        while self._peek() in ASCII_LETTERS or (name and self._peek() in _DIGITS):
            name += self._next("unclosed group name")
        if not name:
            raise self._error("capturing group name does not start with a Latin letter")
        if not self._take(">"):
            raise self._error("named capturing group is missing trailing '>'")
        return name

    # escapes

    def _escape(self) -> _Piece:
        """What stands after a backslash, outside of a set."""
        char = self._raw()
        if self._is_set(char):
            return _Piece(self._set_escape())
        if char and char in "123456789":
            return _Piece(self._back_reference(self._number_of_group()))
        if char in ASCII_LETTERS:
            assertion = self._assertion(char)
            if assertion is not None:
                return _Piece(assertion)
        return self._literal(self._character())

    def _assertion(self, char: str) -> str | None:
        """An escape that is neither a character nor a set of them."""
        unicode = "U" in self._flags
        boundary = _UNICODE_BOUNDARY if unicode else _BOUNDARY
        simple = {
            "A": r"(?:\A)",
            "G": r"(?:\A)",  # where the match begins, and it must match in full
            "z": r"(?:\Z)",
            "Z": self._end(multiline=False),
            "b": boundary,
            "B": f"(?!{boundary})",
            "R": _LINE_BREAK,
            "X": r"(?:\X)",
        }
        if char in simple:
            self._at += 1
            if char == "b" and self._take("{"):
                raise self._error("grapheme boundaries are not supported")
            if char in ("b", "B"):
                self._grow(_LARGE_ELEMENT)
            return simple[char]
        if char == "k":
            self._at += 1
            if not self._take("<"):
                raise self._error(
                    "\\k is not followed by '<' for named capturing group"
                )
            name = self._name()
            if name not in self._names:
                raise self._error(f"named capturing group <{name}> does not exist")
            return self._back_reference(self._names[name])
        return None

    def _number_of_group(self) -> int:
        number = int(self._next("unexpected end"))
        while self._peek() in _DIGITS:
            longer = number * 10 + int(self._peek())
            if longer > self._groups:
                break
            number = longer
            self._at += 1
        return number

    def _back_reference(self, number: int) -> str:
        if number > self._groups:
            return f"(?:{_NEVER})"  # a group still to come has matched nothing
        if number in self._open_groups:
            raise self._error("a group's reference to itself is not supported")
        if "i" in self._flags:
            return f"(?i-f:\\g<{number}>)"
        return f"(?:\\g<{number}>)"

    def _character(self) -> str:
        """The character that an escape stands for."""
        char = self._next("unexpected end of the pattern after a backslash")
        if char in _CHARACTERS:
            return _CHARACTERS[char]
        if char == "0":
            return self._octal()
        if char == "x":
            return self._hexadecimal()
        if char == "u":
            return self._utf16()
        if char == "c":
            return chr(ord(self._next("illegal control escape sequence")) ^ 64)
        if char == "N":
            return self._named_character()
        if char in ASCII_LETTERS or char in _DIGITS:
            raise self._error(f"illegal or unsupported escape sequence \\{char}")
        return char

    def _octal(self) -> str:
        digits = ""
        while len(digits) < 3 and self._peek() in frozenset("01234567"):
            if len(digits) == 2 and digits[0] > "3":
                break
            digits += self._next("illegal octal escape sequence")
        if not digits:
            raise self._error("illegal octal escape sequence")
        return chr(int(digits, 8))

    def _hexadecimal(self) -> str:
        if self._take("{"):
            digits = ""
            while self._peek() in _HEX:
                digits += self._next("unclosed hexadecimal escape sequence")
            if not digits or not self._take("}"):
                raise self._error("illegal hexadecimal escape sequence")
            code = int(digits[-12:], 16)
            if code > 0x10FFFF or digits[:-12].strip("0"):
                raise self._error("hexadecimal code point is too big")
            return chr(code)
        return chr(self._digits(2, "illegal hexadecimal escape sequence"))

    def _digits(self, count: int, reason: str) -> int:
        digits = "".join(self._next(reason) for _ in range(count))
        if not _HEX.issuperset(digits):
            raise self._error(reason)
        return int(digits, 16)

    def _utf16(self) -> str:
        code = self._digits(4, "illegal Unicode escape sequence")
        if 0xD800 <= code < 0xDC00 and self._peek() == "\\" and self._peek(1) == "u":
            before = self._at
            self._at += 2
            low = self._digits(4, "illegal Unicode escape sequence")
            if 0xDC00 <= low < 0xE000:
                return chr(0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00))
            self._at = before
        return chr(code)

    def _named_character(self) -> str:
        name = ""
        if self._take("{"):
            while self._raw() != "}":
                name += self._next("unclosed character name escape sequence")
            self._at += 1
        try:
            return unicodedata.lookup(name)
        except KeyError:
            raise self._error(f"unknown character name [{name}]") from None

    # sets of characters

    def _set(self, *, nested: bool) -> str:
        """What stands after ``[``, or after ``&&`` up to the bracket that ends it all."""
        self._depth += 1
        if self._depth > MAX_PATTERN_DEPTH:
            raise self._error("nested too deeply")
        negated = nested and self._take("^")
        members: list[str] = []
        while True:
            if self._done():
                raise self._error("unclosed character class")
            if members and self._peek() == "]":
                break
            if self._take("["):
                members.append(self._set(nested=True))
            elif self._take("&&"):
                members = [self._intersection(members)]
            else:
                members.append(self._range())
        if nested:
            self._at += 1
        self._depth -= 1
        union = f"[{''.join(members)}]"
        # Not [^x]: regex 2026.11 joins alternatives of that kind in a wrong way.
        return f"[{ALL}--{union}]" if negated else union

    def _intersection(self, left: list[str]) -> str:
        right: list[str] = []
        while self._peek() not in ("]", "&"):
            if self._done():
                raise self._error("unclosed character class")
            if self._take("["):
                right.append(self._set(nested=True))
            else:
                right.append(self._set(nested=False))
        if not right:
            raise self._error("bad intersection syntax")
        both = f"[{''.join(right)}]"
        return f"[[{''.join(left)}]&&{both}]" if left else both

    def _range(self) -> str:
        """A character, a range of them, or a predefined set."""
        self._grow(1)
        if self._take("\\"):
            if self._is_set(self._raw()):
                return self._set_escape()
            low = self._character()
        else:
            low = self._next("unclosed character class")
        if self._peek() != "-" or self._peek(1) in ("[", "]"):
            return "".join(map(_quoted, self._variants(low)))
        self._at += 1
        if self._done():
            raise self._error("illegal character range")
        if self._take("\\"):
            if self._is_set(self._raw()):
                raise self._error("illegal character range")
            high = self._character()
        else:
            high = self._next("illegal character range")
        if high < low:
            raise self._error("illegal character range")
        return f"{_quoted(low)}-{_quoted(high)}" + self._range_variants(low, high)

    def _range_variants(self, low: str, high: str) -> str:
        if "i" not in self._flags:
            return ""
        self._grow(_LARGE_ELEMENT)
        variants = range_variants(low, high, unicode="u" in self._flags)
        return "".join(map(_quoted, variants))

    def _set_escape(self) -> str:
        char = self._next("unexpected end")
        if char in ("p", "P"):
            return self._negated(self._property(), negate=char == "P")
        sets = UNICODE_SETS if "U" in self._flags else SETS
        return self._negated(sets[char.lower()], negate=char.isupper())

    def _is_set(self, char: str) -> bool:
        """Whether this character, after a backslash, names a set of characters."""
        return char.lower() in SETS or char in ("p", "P")

    def _negated(self, text: str, *, negate: bool) -> str:
        return f"[^{text}]" if negate else text

    def _property(self) -> str:
        name = ""
        if self._take("{"):
            while self._raw() != "}":
                name += self._next("unclosed character family")
            self._at += 1
        else:
            name = self._next("unclosed character family")
        text = property_set(
            name, any_case="i" in self._flags, unicode="U" in self._flags
        )
        if text is None:
            raise self._error(f"unknown character property name {{{name}}}")
        return text
