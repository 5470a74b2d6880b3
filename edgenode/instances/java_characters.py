"""Java's sets of characters and its letter case, in the notation of ``regex``."""

from functools import cache

ASCII_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
ALL = r"[\x00-\U0010FFFF]"

_WORD = r"[a-zA-Z_0-9]"
UNICODE_WORD = r"[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\u200C\u200D]"
_UNICODE_SPACE = r"[\p{Z}\t-\r\x85]"
VERTICAL = r"[\n-\r\x85\u2028\u2029]"
SETS = {
    "d": "[0-9]",
    "s": r"[ \t-\r]",
    "w": _WORD,
    "h": r"[ \t\xA0\u1680\u180E\u2000-\u200A\u202F\u205F\u3000]",
    "v": VERTICAL,
}
UNICODE_SETS = SETS | {"d": r"[\p{Nd}]", "s": _UNICODE_SPACE, "w": UNICODE_WORD}

_CASED_LETTER = r"[\p{Lu}\p{Ll}\p{Lt}]"
_CASED = r"[\p{Lowercase}\p{Uppercase}\p{Lt}]"
_CATEGORIES = frozenset("LMNZCPS") | {
    major + minor
    for major, minors in {
        "L": "ultmo",
        "M": "nec",
        "N": "dlo",
        "Z": "slp",
        "C": "ncfos",
        "P": "dsecoif",
        "S": "mcko",
    }.items()
    for minor in minors
}
_PROPERTIES = {
    "LC": _CASED_LETTER,
    "LD": r"[\p{L}\p{Nd}]",
    "L1": r"[\x00-\xFF]",
    "all": ALL,
    "ASCII": r"[\x00-\x7F]",
    "Alnum": "[a-zA-Z0-9]",
    "Alpha": "[a-zA-Z]",
    "Blank": r"[ \t]",
    "Cntrl": r"[\x00-\x1F\x7F]",
    "Digit": "[0-9]",
    "Graph": r"[\x21-\x7E]",
    "Lower": "[a-z]",
    "Print": r"[\x20-\x7E]",
    "Punct": r"[\x21-\x2F\x3A-\x40\x5B-\x60\x7B-\x7E]",
    "Space": r"[ \t-\r]",
    "Upper": "[A-Z]",
    "XDigit": "[0-9a-fA-F]",
    "javaLowerCase": r"[\p{Lowercase}]",
    "javaUpperCase": r"[\p{Uppercase}]",
    "javaAlphabetic": r"[\p{Alphabetic}]",
    "javaIdeographic": r"[\p{Ideographic}]",
    "javaTitleCase": r"[\p{Lt}]",
    "javaDigit": r"[\p{Nd}]",
    "javaDefined": r"[\P{Cn}]",
    "javaLetter": r"[\p{L}]",
    "javaLetterOrDigit": r"[\p{L}\p{Nd}]",
    "javaSpaceChar": r"[\p{Z}]",
    "javaWhitespace": r"[[\p{Z}--[\xA0\u2007\u202F]]\t-\r\x1C-\x1F]",
    "javaISOControl": r"[\x00-\x1F\x7F-\x9F]",
    "javaMirrored": r"[\p{Bidi_Mirrored}]",
}
_ANY_CASE = (
    dict.fromkeys(("Lu", "Ll", "Lt"), _CASED_LETTER)
    | dict.fromkeys(("Lower", "Upper"), "[a-zA-Z]")
    | dict.fromkeys(("javaLowerCase", "javaUpperCase", "javaTitleCase"), _CASED)
)
_UNICODE_PROPERTIES = {
    "ALPHA": r"[\p{Alphabetic}]",
    "LOWER": r"[\p{Lowercase}]",
    "UPPER": r"[\p{Uppercase}]",
    "SPACE": _UNICODE_SPACE,
    "PUNCT": r"[\p{P}]",
    "XDIGIT": r"[\p{Nd}\p{Hex_Digit}]",
    "ALNUM": r"[\p{Alphabetic}\p{Nd}]",
    "CNTRL": r"[\p{Cc}]",
    "DIGIT": r"[\p{Nd}]",
    "BLANK": r"[\p{Zs}\t]",
    "GRAPH": r"[^\p{Z}\p{Cc}\p{Cs}\p{Cn}]",
    "PRINT": r"[^\p{Zl}\p{Zp}\p{Cc}\p{Cs}\p{Cn}]",
}
_BINARY_PROPERTIES = _UNICODE_PROPERTIES | {
    "ALPHABETIC": r"[\p{Alphabetic}]",
    "ASSIGNED": r"[\P{Cn}]",
    "CONTROL": r"[\p{Cc}]",
    "HEXDIGIT": r"[\p{Nd}\p{Hex_Digit}]",
    "HEX_DIGIT": r"[\p{Nd}\p{Hex_Digit}]",
    "IDEOGRAPHIC": r"[\p{Ideographic}]",
    "JOINCONTROL": r"[\u200C\u200D]",
    "JOIN_CONTROL": r"[\u200C\u200D]",
    "LETTER": r"[\p{L}]",
    "LOWERCASE": r"[\p{Lowercase}]",
    "NONCHARACTERCODEPOINT": r"[\p{Noncharacter_Code_Point}]",
    "NONCHARACTER_CODE_POINT": r"[\p{Noncharacter_Code_Point}]",
    "TITLECASE": r"[\p{Lt}]",
    "PUNCTUATION": r"[\p{P}]",
    "UPPERCASE": r"[\p{Uppercase}]",
    "WHITESPACE": _UNICODE_SPACE,
    "WHITE_SPACE": _UNICODE_SPACE,
    "WORD": UNICODE_WORD,
}
_UNICODE_ANY_CASE = frozenset({"LOWER", "UPPER", "LOWERCASE", "UPPERCASE", "TITLECASE"})


def property_set(name: str, *, any_case: bool, unicode: bool) -> str | None:
    r"""What stands in the braces of Java's ``\p{..}``, as a set; None if unknown.

    ``any_case`` and ``unicode`` are Java's flags ``i`` and ``U``.
    """
    key, equals, value = name.partition("=")
    if equals:
        key = key.lower()
        if key in ("gc", "general_category"):
            return _java_property(value, any_case=any_case)
        if key in ("sc", "script"):
            return _named_set("Script", value)
        return _named_set("Block", value) if key in ("blk", "block") else None
    if name.startswith("In"):
        return _named_set("Block", name[2:])
    if name.startswith("Is"):
        return (
            _unicode_property(name[2:], _BINARY_PROPERTIES, any_case=any_case)
            or _java_property(name[2:], any_case=any_case)
            or _named_set("Script", name[2:])
        )
    posix = None
    if unicode:
        posix = _unicode_property(name, _UNICODE_PROPERTIES, any_case=any_case)
    return posix or _java_property(name, any_case=any_case)


def _unicode_property(
    name: str, among: dict[str, str], *, any_case: bool
) -> str | None:
    if any_case and name.upper() in _UNICODE_ANY_CASE:
        return _CASED
    return among.get(name.upper())


def _java_property(name: str, *, any_case: bool) -> str | None:
    if any_case and name in _ANY_CASE:
        return _ANY_CASE[name]
    return rf"[\p{{{name}}}]" if name in _CATEGORIES else _PROPERTIES.get(name)


def _named_set(kind: str, value: str) -> str | None:
    letters = value.replace("_", "")
    if kind == "Block":
        letters = letters.replace(" ", "").replace("-", "")
    if not (letters.isascii() and letters.isalnum()):
        return None
    return rf"[\p{{{kind}={value}}}]"


def character_variants(char: str, *, unicode: bool) -> str:
    """The characters that equal this one when case doesn't count, itself included.

    ASCII letters have no other variants than each other unless ``unicode``.
    """
    if not unicode:
        return char.lower() + char.upper() if char in ASCII_LETTERS else char
    folded = _folded(char)
    return char if folded == _upper(char) else _unicode_cases().get(folded, char)


def range_variants(low: str, high: str, *, unicode: bool) -> list[str]:
    """What a range of characters holds beside itself when case doesn't count."""
    if not unicode:
        return [c for c in sorted(ASCII_LETTERS) if low <= c.swapcase() <= high]
    return [
        char
        for alike in _unicode_cases().values()
        for char in alike
        if low <= _upper(char) <= high or low <= _folded(char) <= high
    ]


def _upper(char: str) -> str:
    """The one character that is this one's capital."""
    for capital in (char.upper(), char.title()):
        if len(capital) == 1:
            return capital
    return char


def _folded(char: str) -> str:
    """Java's folding of one character: up, then down."""
    upper = _upper(char)
    lower = upper.lower()
    return lower if len(lower) == 1 else {"İ": "i"}.get(upper, upper)


@cache
def _unicode_cases() -> dict[str, str]:
    """The characters that fold alike, by what they fold to; all cased scripts."""
    cases: dict[str, str] = {}
    for start, end in (
        (0x41, 0x590),
        (0x10A0, 0x1100),
        (0x13A0, 0x1400),
        (0x1C80, 0x1CC0),
        (0x1D79, 0x1D8F),
        (0x1E00, 0x2190),
        (0x24B6, 0x24EA),
        (0x2C00, 0x2D30),
        (0xA640, 0xA7FF),
        (0xAB53, 0xABC0),
        (0xFF21, 0xFF5B),
        (0x10400, 0x105C0),
        (0x10C80, 0x10D00),
        (0x118A0, 0x118E0),
        (0x16E40, 0x16E80),
        (0x1E900, 0x1E944),
    ):
        for code in range(start, end):
            char = chr(code)
            folded = _folded(char)
            if folded != char or char.upper() != char:
                cases[folded] = cases.get(folded, "") + char
    return cases
