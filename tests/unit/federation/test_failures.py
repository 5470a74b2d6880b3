"""Failures of other members become the same failures here."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from edgenode import errors
from edgenode.collection.participation import Participation
from edgenode.errors import (
    EntityNotKnownError,
    EntityProxyOnlyError,
    InvalidSearchPatternError,
    NegativePageSizeError,
    OMRSError,
    RelayedError,
    StoreUnavailableError,
    TypeIdNotKnownError,
    UnexpectedError,
    UserNotAuthorizedError,
)
from edgenode.federation.failures import gravest, is_not_known, relayed
from edgenode.rest.answers import failure
from edgenode.rest.omrs_find import OPERATIONS

DEFINITIONS = [
    each
    for each in vars(errors).values()
    if isinstance(each, type)
    and issubclass(each, OMRSError)
    # The first is none, the second has nothing to tell, the third is what they become.
    and each not in (OMRSError, UnexpectedError, RelayedError)
]
JAVA = errors.JAVA_PACKAGE


def wire(error: OMRSError) -> Any:
    return json.loads(failure(OPERATIONS[0], error, Participation()))


@pytest.mark.parametrize("definition", DEFINITIONS, ids=lambda each: each.__name__)
def test_each_failure_of_ours_comes_back_as_itself(definition: type[OMRSError]) -> None:
    values = [f"<{number}> {{}}" for number in range(definition.parameter_count)]
    error = definition(*values, reporting_operation="someOperation")
    told = relayed(wire(error))
    assert type(told) is definition
    assert wire(told) == wire(error)


def test_one_of_a_known_java_class_keeps_what_the_member_says() -> None:
    answer = {
        "class": "EntityDetailResponse",
        "relatedHTTPCode": 404,
        "actionDescription": "getEntityDetail",
        "exceptionClassName": f"{JAVA}.EntityNotKnownException",
        "exceptionErrorMessage": "OTHER-404-001 {guid} isn't here",
        "exceptionErrorMessageId": "OTHER-404-001",
        "exceptionErrorMessageParameters": ["guid"],
    }
    told = relayed(answer)
    assert is_not_known(told)
    again = wire(told)
    assert {name: again.get(name) for name in answer} == answer


def test_an_unforeseen_one_stays_unforeseen() -> None:
    told = relayed(wire(UnexpectedError()))
    assert told.message_id == UnexpectedError.message_id
    assert told.message == UnexpectedError().message


def test_one_with_other_parameters_than_ours_keeps_its_message() -> None:
    answer = wire(EntityNotKnownError("g", "op", "there"))
    answer["exceptionErrorMessageParameters"] = ["only one"]
    told = relayed(answer)
    assert is_not_known(told)
    assert told.message == answer["exceptionErrorMessage"]
    assert told.parameters == ("only one",)


def test_one_of_another_kind_is_the_repositorys() -> None:
    told = relayed(
        {
            "relatedHTTPCode": 500,
            "exceptionClassName": "java.lang.NullPointerException",
            "exceptionErrorMessage": "null",
        }
    )
    assert isinstance(told, RelayedError)
    assert told.exception_class_name == "RepositoryErrorException"
    assert told.related_http_code == 500
    assert told.message.endswith(" null")


@pytest.mark.parametrize(
    "answer",
    [
        {"relatedHTTPCode": 400},
        {"relatedHTTPCode": "?", "exceptionClassName": 5},
        {
            "relatedHTTPCode": 400,
            "exceptionErrorMessageParameters": "no list",
            "exceptionProperties": [],
            "exceptionErrorMessage": "{0} {nothing}",
        },
    ],
)
def test_whatever_comes_there_is_an_error_to_tell(answer: dict[str, Any]) -> None:
    assert wire(relayed(answer))["exceptionErrorMessage"]


def gravest_first() -> Iterator[OMRSError]:
    yield UserNotAuthorizedError("erin", "there")
    yield StoreUnavailableError("op", "there", "off")
    yield relayed({"exceptionClassName": f"{JAVA}.InvalidTypeDefException"})
    yield InvalidSearchPatternError("a", "b", "c", "d", "op")
    yield TypeIdNotKnownError("guid", "typeGUID", "op", "there")
    yield NegativePageSizeError(-1, "pageSize", "op", "there")
    yield EntityProxyOnlyError("g", "there", "guid", "op")
    yield EntityNotKnownError("g", "op", "there")


def test_the_gravest_failure_is_told() -> None:
    graded = list(gravest_first())
    for place, error in enumerate(graded):
        assert gravest(reversed(graded[place:])) is error
