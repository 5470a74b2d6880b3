import json
from collections.abc import Iterator
from string import Formatter

import pytest

from edgenode.errors import (
    BadRequestError,
    EdgeNodeError,
    EntityCanNotBeUpdatedError,
    EntityNotKnownError,
    InvalidNumericConditionError,
    InvalidTimeRangeError,
    NegativePageSizeError,
    NewPropertiesMissingError,
    OMRSError,
    RelationshipCanNotBeUpdatedError,
    RelationshipHomeIsLocalError,
    StoreFullError,
    TypeDefIdMissingError,
    TypeMismatchError,
    UnexpectedError,
    UnknownClassificationError,
    UnknownServerError,
    UserNotAuthorizedError,
    UserNotAuthorizedToReadInstanceError,
)
from tests.conftest import SHARED

SAMPLES = SHARED / "facts" / "omrs" / "samples"
PACKAGE = "org.odpi.openmetadata.repositoryservices.ffdc.exception."

# What a genuine client can rebuild; any other class becomes a RepositoryErrorException.
CLIENT_CLASSES = frozenset(
    f"{name}Exception"
    for name in [
        "ClassificationError",
        "EntityConflict",
        "EntityNotDeleted",
        "EntityNotKnown",
        "EntityProxyOnly",
        "FunctionNotSupported",
        "HomeEntity",
        "HomeRelationship",
        "InvalidEntity",
        "InvalidParameter",
        "InvalidRelationship",
        "InvalidTypeDef",
        "PagingError",
        "PatchError",
        "PropertyError",
        "RelationshipConflict",
        "RelationshipNotDeleted",
        "RelationshipNotKnown",
        "RepositoryError",
        "RepositoryTimeout",
        "StatusNotSupported",
        "TypeDefConflict",
        "TypeDefInUse",
        "TypeDefKnown",
        "TypeDefNotKnown",
        "TypeDefNotSupported",
        "TypeError",
        "UserNotAuthorized",
    ]
)


def subclasses(cls: type[OMRSError]) -> Iterator[type[OMRSError]]:
    for child in cls.__subclasses__():
        if child.__module__.startswith("edgenode."):  # not those that tests make
            yield child
            yield from subclasses(child)


DEFINITIONS = tuple(subclasses(OMRSError))
each_definition = pytest.mark.parametrize(
    "definition", DEFINITIONS, ids=lambda definition: definition.__name__
)


def values(count: int) -> list[str]:
    return [f"<value {index}>" for index in range(count)]


def test_every_definition_is_told_apart_by_message_id_and_java_class() -> None:
    pairs = [(each.message_id, each.exception_class_name) for each in DEFINITIONS]
    assert len(pairs) > 100
    assert len(set(pairs)) == len(pairs)


@each_definition
def test_template_uses_each_of_its_parameters(definition: type[OMRSError]) -> None:
    fields = {field for _, field, _, _ in Formatter().parse(definition.template)}
    wanted = {str(index) for index in range(definition.parameter_count)}
    assert fields - {None} == wanted
    assert len(definition.parameter_names) == definition.parameter_count


@each_definition
def test_docstring_names_the_parameters_in_order(definition: type[OMRSError]) -> None:
    names = ", ".join(definition.parameter_names) or "none"
    assert f"Parameters: {names}." in " ".join((definition.__doc__ or "").split())


@each_definition
def test_message_shows_the_id_and_every_value(definition: type[OMRSError]) -> None:
    given = values(definition.parameter_count)
    error = definition(*given)
    assert error.message.startswith(f"{definition.message_id} ")
    assert str(error) == error.message
    assert error.parameters == tuple(given)
    for value in given:
        assert value in error.message


@each_definition
def test_wrong_number_of_parameters_is_refused(definition: type[OMRSError]) -> None:
    count = definition.parameter_count
    for wrong in {count + 1, max(count - 1, 0)} - {count}:
        with pytest.raises(TypeError):
            definition(*values(wrong))


@each_definition
def test_java_class_is_one_that_clients_know(definition: type[OMRSError]) -> None:
    assert definition.exception_class_name in CLIENT_CLASSES
    error = definition(*values(definition.parameter_count))
    assert error.java_class == PACKAGE + definition.exception_class_name


@each_definition
def test_only_two_java_classes_carry_properties(definition: type[OMRSError]) -> None:
    error = definition(*values(definition.parameter_count))
    keys = set(error.properties or ())
    if definition.exception_class_name == "UserNotAuthorizedException":
        assert keys == {"userId"}
    elif definition.exception_class_name == "InvalidParameterException":
        assert keys <= {"parameterName"}
    else:
        assert keys == set()


@each_definition
def test_actions_are_whole_sentences(definition: type[OMRSError]) -> None:
    for action in (definition.system_action, definition.user_action):
        assert action[0].isupper()
        assert action.endswith(".")


def failures_within(value: object) -> Iterator[dict[str, object]]:
    if isinstance(value, dict):
        if "exceptionClassName" in value:
            yield value
        for child in value.values():
            yield from failures_within(child)
    elif isinstance(value, list):
        for child in value:
            yield from failures_within(child)


def captured_failures() -> Iterator[object]:
    for path in sorted(SAMPLES.glob("*.json")):
        for failure in failures_within(json.loads(path.read_bytes())):
            yield pytest.param(failure, id=path.stem)
    if not SAMPLES.is_dir():
        reason = "the captures in ../shared/facts/omrs/samples are not here"
        yield pytest.param({}, marks=pytest.mark.skip(reason=reason))


def text(failure: dict[str, object], field: str) -> str:
    value = failure[field]
    assert isinstance(value, str)
    return value


@pytest.mark.parametrize("failure", list(captured_failures()))
def test_captured_failure_can_be_raised(failure: dict[str, object]) -> None:
    message_id = text(failure, "exceptionErrorMessageId")
    java_class = text(failure, "exceptionClassName")
    parameters = failure.get("exceptionErrorMessageParameters", [])
    assert isinstance(parameters, list)
    if message_id == UnexpectedError.message_id:
        error: OMRSError = UnexpectedError(java_class=java_class)
    else:
        (definition,) = (
            each
            for each in DEFINITIONS
            if each.message_id == message_id
            and PACKAGE + each.exception_class_name == java_class
        )
        error = definition(*parameters)
    assert error.related_http_code == failure["relatedHTTPCode"]
    assert error.java_class == java_class
    assert list(error.parameters) == parameters
    assert error.properties == failure.get("exceptionProperties")
    if "operation" in error.parameter_names:
        assert error.reporting_operation == failure["actionDescription"]


# Answers of a genuine 4.2 server that no capture holds.
@pytest.mark.parametrize(
    ("error", "operation", "parameter_name"),
    [
        (
            TypeDefIdMissingError("typeDefGUID", "deleteEntity", "node"),
            "deleteEntity",
            "typeDefGUID",
        ),
        (
            InvalidTimeRangeError("getEntityDetailHistory", "later", "sooner"),
            "getEntityDetailHistory",
            "fromTime/toTime",
        ),
        (
            InvalidNumericConditionError(
                "Less than", reporting_operation="findEntities"
            ),
            "findEntities",
            "matchProperties",
        ),
        (
            UnknownClassificationError(
                "Nope",
                "node",
                reporting_operation="addEntity",
                parameter_name="initialClassifications",
            ),
            "addEntity",
            "initialClassifications",
        ),
        (
            TypeMismatchError(
                "bad", "bad", "deleteEntity", "g", "node", parameter_name="typeDefName"
            ),
            "deleteEntity",
            "typeDefName",
        ),
        (
            RelationshipCanNotBeUpdatedError("node", "r9", "deleteRelationship"),
            "deleteRelationship",
            "relationshipGUID",
        ),
        (
            RelationshipHomeIsLocalError("c", "reHomeRelationship", "r", "c", "node"),
            "reHomeRelationship",
            "instance",
        ),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, OMRSError) else None,
)
def test_operation_and_parameter_at_fault(
    error: OMRSError, operation: str, parameter_name: str
) -> None:
    assert error.reporting_operation == operation
    assert error.properties == {"parameterName": parameter_name}


def test_given_operation_wins_over_the_parameter() -> None:
    error = EntityNotKnownError(
        "g", "getEntitySummary", "node", reporting_operation="addRelationship"
    )
    assert error.reporting_operation == "addRelationship"


def test_failures_without_a_faulty_parameter_have_no_properties() -> None:
    assert NegativePageSizeError(-1, "pageSize", "findEntities", "n").properties is None
    assert NewPropertiesMissingError("properties", "op", "node").properties is None


def test_refused_user_is_named() -> None:
    refused = UserNotAuthorizedToReadInstanceError("erin", "g", "Asset", "node")
    assert refused.properties == {"userId": "erin"}
    other = UserNotAuthorizedError("erin", "node", user_id="peter")
    assert other.properties == {"userId": "peter"}


def test_parameters_become_text_and_are_not_templates_themselves() -> None:
    error = NegativePageSizeError(-1, "{0}", "findEntities", "node")
    assert error.parameters == ("-1", "{0}", "findEntities", "node")
    assert "{0}" in error.message


def test_unexpected_error_reports_any_java_class() -> None:
    error = UnexpectedError(
        java_class="java.lang.IndexOutOfBoundsException", caused_by="java.lang.Error"
    )
    assert error.java_class == "java.lang.IndexOutOfBoundsException"
    assert error.caused_by == "java.lang.Error"
    assert error.related_http_code == 400
    assert (error.parameters, error.reporting_operation) == ((), "")


def test_actions_fall_back_to_those_of_the_http_code() -> None:
    assert EntityNotKnownError.user_action == UnknownServerError.user_action
    assert EntityNotKnownError.user_action != NegativePageSizeError.user_action
    assert "home" in EntityCanNotBeUpdatedError.user_action
    assert "disk" in StoreFullError.user_action


def test_bad_request_says_where_and_why() -> None:
    error = BadRequestError("text expected", "properties.name")
    assert isinstance(error, EdgeNodeError)
    assert not isinstance(error, OMRSError)
    assert (error.where, error.reason) == ("properties.name", "text expected")
    assert str(error) == "properties.name: text expected"
