"""What a node keeps of its cohort: ``cohort/`` in the data directory, for its user alone.

All methods wait for the disk: call them in a thread.
"""

import logging
import os
import re
from collections.abc import Callable
from pathlib import Path

from edgenode.codec.json import dumps_pretty, loads
from edgenode.errors import BadRequestError, EdgeNodeError
from edgenode.limits import (
    MAX_COHORT_FILE_BYTES,
    MAX_FORMER_KEYS,
    MAX_KEY_NUMBER,
    MAX_TOKEN_FILE_BYTES,
)
from edgenode.security.cohorts import Cohort
from edgenode.security.identity import IdentityFiles
from edgenode.security.keys import CohortKey, InvalidTokenError
from edgenode.security.private_files import (
    make_private_directory,
    read_bounded,
    sync_directory,
    wipe,
    write_private,
)

logger = logging.getLogger(__name__)

NODES_FILE = "nodes.json"

_FORMAT = 1
_TAG = re.compile(r"[0-9a-f]{16}")


class DamagedCohortError(EdgeNodeError):
    """A file of the cohort can't be used; nothing was put in its place."""

    def __init__(self, path: Path, why: str, mend: str) -> None:
        super().__init__(path, why, mend)
        self.path = path
        self.why = why
        self.mend = mend

    def __str__(self) -> str:
        return f"{self.path} can't be used ({self.why}). Mend: {self.mend}"


class CohortDirectory:
    """The directory of a node's cohort and identity, and of what it keeps of cohorts."""

    def __init__(self, data_directory: Path) -> None:
        self.path = data_directory / "cohort"
        self.cohort_path = self.path / "cohort.json"

    def load(self) -> Cohort | None:
        """The cohort that the node is in.

        Raises:
            DamagedCohortError: It can't be read.
        """
        try:
            text = read_bounded(self.cohort_path, MAX_COHORT_FILE_BYTES)
            return None if text is None else _cohort(loads(text))
        except OSError as error:
            raise self._damaged(error.strerror or str(error)) from error
        except BadRequestError as error:
            raise self._damaged("it isn't JSON") from error
        except (InvalidTokenError, KeyError, TypeError, ValueError) as error:
            raise self._damaged(f"{type(error).__name__}: {error}") from error

    def save(self, cohort: Cohort) -> None:
        """Keep the cohort that the node is in.

        Raises:
            OSError: It can't be written.
        """
        make_private_directory(self.path)
        write_private(self.cohort_path, dumps_pretty(_document(cohort)) + b"\n")

    def kept_of(self, cohort: Cohort) -> Path:
        """Where its nodes and removals are kept: nothing of them holds in another one.

        They stay for the time when the node is in that cohort again: it may be the only
        one that knows of a removal.

        Raises:
            OSError: The directory can't be made.
        """
        directory = self.path / cohort.id
        make_private_directory(self.path)
        make_private_directory(directory)
        return directory

    def knew_others(self, cohort: Cohort) -> bool:
        """Whether the node has kept any other node of a cohort."""
        try:
            kept = (self.path / cohort.id / NODES_FILE).read_bytes()
        except OSError:
            return False
        return kept not in (b"", b"[]")

    def leave(self) -> None:
        """Be in no cohort any more. The node keeps its key, and with it its id.

        Raises:
            OSError: Files can't be removed.
        """
        files = IdentityFiles(self.path)
        for path in (
            self.cohort_path,
            files.authorities,
            files.certificate,
        ):
            path.unlink(missing_ok=True)
        if self.path.is_dir():
            sync_directory(self.path)

    def _damaged(self, why: str) -> DamagedCohortError:
        return DamagedCohortError(
            self.cohort_path,
            why,
            "bring it back from a copy, or join again: 'edgenode cohort token' on "
            "another machine of the cohort shows the token, 'edgenode cohort join' "
            "takes it here",
        )


def first_cohort(
    directory: CohortDirectory,
    name: str,
    random_bytes: Callable[[int], bytes] = os.urandom,
) -> Cohort:
    """Make a cohort for a node that is in none.

    Raises:
        OSError: It can't be written.
    """
    cohort = Cohort(key=CohortKey.create(name, random_bytes))
    directory.save(cohort)
    return cohort


def open_cohort(name: str) -> Cohort:
    """The cohort in open mode, of which nothing is kept."""
    return Cohort(key=CohortKey.open(name), is_open=True)


def settled_cohort(
    directory: CohortDirectory,
    name: str,
    join_file: Path | None = None,
    random_bytes: Callable[[int], bytes] = os.urandom,
) -> tuple[Cohort, bool]:
    """The cohort that a node is in when it starts, and whether it was made just now.

    A node that is in none joins with the join file if there is one, which is wiped,
    and else makes a cohort.

    Raises:
        DamagedCohortError: It can't be told which cohort the node is in, or which one
            it shall join. No other one is made in its place.
        OSError: Files can't be written.
    """
    cohort = directory.load()
    given = None if join_file is None else _given_key(join_file)
    if cohort is None and given is not None:
        cohort = Cohort(key=given, number=0)
        directory.save(cohort)
    if given is not None and join_file is not None and cohort is not None:
        if given in (cohort.key, cohort.previous):
            _wipe(join_file)
        else:
            logger.warning(
                "%s is left alone: this node is in cohort %s (%s) already. "
                "Remove the file, or join with it: edgenode cohort join --file %s",
                join_file,
                cohort.key.name,
                cohort.key.tag,
                join_file,
            )
    if cohort is not None:
        return cohort, False
    if join_file is not None:
        logger.warning(
            "there is no %s to join with: this node makes a cohort of its own. To join "
            "another one: edgenode cohort join TOKEN, then start the node again",
            join_file,
        )
    return first_cohort(directory, name, random_bytes), True


def read_token_file(path: Path) -> CohortKey | None:
    """The key whose token stands alone in a file; None where there is no file.

    Raises:
        InvalidTokenError: There is no usable token in it.
        OSError: It can't be read.
    """
    content = read_bounded(path, MAX_TOKEN_FILE_BYTES)
    if content is None:
        return None
    try:
        return CohortKey.from_token(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise InvalidTokenError("the file isn't text") from error


def _given_key(path: Path) -> CohortKey | None:
    try:
        return read_token_file(path)
    except (InvalidTokenError, OSError) as error:
        raise DamagedCohortError(
            path,
            str(error),
            "write a join token into it, which 'edgenode cohort token' shows on a "
            "machine of the cohort, or remove it",
        ) from error


def _wipe(path: Path) -> None:
    try:
        wipe(path)
    except OSError as error:
        logger.warning(
            "%s has a join token, is used up and can't be removed (%s): remove it, "
            "whoever reads it can join the cohort",
            path,
            error.strerror,
        )


def _document(cohort: Cohort) -> dict[str, object]:
    document: dict[str, object] = {
        "format": _FORMAT,
        "name": cohort.key.name,
        "number": cohort.number,
        "token": cohort.key.token,
    }
    if cohort.previous is not None:
        document["previous"] = cohort.previous.token
        document["overlapEnds"] = cohort.overlap_ends
    if cohort.former:
        document["former"] = list(cohort.former)
        document["rotatedAt"] = cohort.rotated_at
    if cohort.first_tag:
        document["firstTag"] = cohort.first_tag
    return document


def _cohort(document: dict[str, object]) -> Cohort:
    if document["format"] != _FORMAT:
        raise ValueError("a newer edgenode has written it")
    previous = document.get("previous")
    first = document.get("firstTag")
    return Cohort(
        key=_key(document["token"]),
        number=_number(document["number"]),
        previous=None if previous is None else _key(previous),
        overlap_ends=_whole(document.get("overlapEnds", 0)),
        former=_tags(document.get("former", [])),
        rotated_at=_whole(document.get("rotatedAt", 0)),
        first_tag="" if first is None else _tag(first),
    )


def _key(token: object) -> CohortKey:
    if not isinstance(token, str):
        raise TypeError("a token is no text")
    return CohortKey.from_token(token)


def _tags(told: object) -> tuple[str, ...]:
    if isinstance(told, list) and all(isinstance(each, str) for each in told):
        return tuple(told)[-MAX_FORMER_KEYS:]
    raise TypeError("the former keys' tags are no list of texts")


def _tag(kept: object) -> str:
    if isinstance(kept, str) and _TAG.fullmatch(kept):
        return kept
    raise ValueError(f"{kept!r} is no tag")


def _number(told: object) -> int:
    number = _whole(told)
    if number > MAX_KEY_NUMBER:
        raise ValueError(f"{number} is too large for a key's number")
    return number


def _whole(number: object) -> int:
    if isinstance(number, int) and not isinstance(number, bool) and number >= 0:
        return number
    raise TypeError(f"{number!r} is no number")
