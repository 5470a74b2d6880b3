"""What goes wrong at other members, as errors of ours, and which of several to tell.

A failure that another member reports keeps its Java class, by which callers tell failures
apart, its message and its parameters. Where all members fail, the caller is told the
gravest failure, in the order in which genuine servers choose.
"""

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any

from edgenode.errors import JAVA_PACKAGE, OMRSError, RelayedError
from edgenode.limits import MAX_REASON_LENGTH

NOT_KNOWN = frozenset(
    {
        "EntityNotKnownException",
        "EntityProxyOnlyException",
        "RelationshipNotKnownException",
    }
)
"""The Java classes that say that a member hasn't got an instance."""

_ABOUT_THE_QUESTION = frozenset(
    {
        "ClassificationErrorException",
        "InvalidParameterException",
        "PagingErrorException",
        "PropertyErrorException",
        "StatusNotSupportedException",
        "TypeDefNotKnownException",
        "TypeErrorException",
    }
)
"""The Java classes that say that a question can't be answered as it is."""

_GRAVEST_FIRST = ("UserNotAuthorizedException", "RepositoryErrorException")
_GRAVEST_LAST = (
    "PropertyErrorException",
    "InvalidParameterException",
    "FunctionNotSupportedException",
    "TypeErrorException",
    "PagingErrorException",
    "EntityProxyOnlyException",
    "EntityNotKnownException",
    "RelationshipNotKnownException",
)


def is_not_known(error: OMRSError) -> bool:
    """Whether the member that fails so hasn't got the instance."""
    return error.exception_class_name in NOT_KNOWN


def is_about_question(error: OMRSError) -> bool:
    """Whether a member that fails so finds fault with what it was asked."""
    return error.exception_class_name in _ABOUT_THE_QUESTION


def gravest(errors: Iterable[OMRSError]) -> OMRSError:
    """The failure to tell of several; of equal ones the first."""
    return min(errors, key=_rank)


def _rank(error: OMRSError) -> int:
    name = error.exception_class_name
    if name in _GRAVEST_FIRST:
        return _GRAVEST_FIRST.index(name)
    first_of_all_others = len(_GRAVEST_FIRST)
    if name in _GRAVEST_LAST:
        return first_of_all_others + 1 + _GRAVEST_LAST.index(name)
    return first_of_all_others


def relayed(answer: Mapping[str, Any]) -> OMRSError:
    """The error of an answer that isn't a success.

    One that isn't of the repository services becomes an error of the repository.
    """
    name = str(answer.get("exceptionClassName") or "").removeprefix(JAVA_PACKAGE + ".")
    message_id = str(answer.get("exceptionErrorMessageId") or "")
    parameters = answer.get("exceptionErrorMessageParameters")
    parameters = parameters if isinstance(parameters, list) else []
    told = _told_beside(answer)
    known = _definitions().get((name, message_id))
    if known is not None and known.parameter_count == len(parameters):
        return known(*parameters, **told)
    definition: dict[str, str | int] = {"message_id": message_id} if message_id else {}
    code = answer.get("relatedHTTPCode")
    if isinstance(code, int):
        definition["related_http_code"] = code
    if name in _java_classes():
        definition["exception_class_name"] = name
    text = str(answer.get("exceptionErrorMessage") or name or "failed without a word")
    text = text.removeprefix(message_id).strip()[:MAX_REASON_LENGTH]
    return RelayedError.told(text, parameters, definition, **told)


def _told_beside(answer: Mapping[str, Any]) -> dict[str, Any]:
    properties = answer.get("exceptionProperties")
    properties = properties if isinstance(properties, dict) else {}
    return {
        "reporting_operation": str(answer.get("actionDescription") or ""),
        "parameter_name": properties.get("parameterName"),
        "user_id": properties.get("userId"),
    }


@cache
def _definitions() -> Mapping[tuple[str, str], type[OMRSError]]:
    return {
        (known.exception_class_name, known.message_id): known
        for known in _subclasses(OMRSError)
        if "__init__" not in vars(known)  # those are about more than a message
    }


@cache
def _java_classes() -> frozenset[str]:
    return frozenset(known.exception_class_name for known in _subclasses(OMRSError))


def _subclasses(of: type[OMRSError]) -> Iterator[type[OMRSError]]:
    for child in of.__subclasses__():
        yield child
        yield from _subclasses(child)
