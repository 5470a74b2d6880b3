"""The errors of this project: each OMRS one is a whole message definition.

Ids, codes, Java class names and the order of the parameters are Egeria's; the texts
are our own. Several classes share a message id where Egeria throws it as several
exceptions. Callers of the API tell failures apart by the Java class name; how an answer
is written is the REST adapter's.
"""

from collections.abc import Mapping, Sequence
from errno import EDQUOT, ENOSPC
from string import Formatter
from typing import ClassVar

JAVA_PACKAGE = "org.odpi.openmetadata.repositoryservices.ffdc.exception"

_SYSTEM_ACTIONS = {
    400: "The request was refused; nothing was changed.",
    403: "The request was refused; nothing was changed.",
    404: "The request was refused; nothing was changed.",
    500: "The request was stopped; nothing of it was stored.",
    501: "The request was refused; this server does not offer the operation.",
    503: "The request was refused; what it needs is not available now.",
}
_USER_ACTIONS = {
    400: "Correct the request and send it again.",
    403: "Ask whoever runs the server for access.",
    404: "Check the name or GUID, and that this server can see what it names.",
    500: "Look for the cause in the server's log.",
    501: "Use another operation, or another server.",
    503: "Check the server's configuration and state, then send the request again.",
}


def is_disk_full(error: Exception) -> bool:
    """Whether the system had no room on the disk, or no more for this user."""
    return isinstance(error, OSError) and error.errno in {ENOSPC, EDQUOT}


class EdgeNodeError(Exception):
    """Base of all errors this project raises on purpose."""


class BadRequestError(EdgeNodeError):
    """A request body can't be bound to what the operation takes."""

    def __init__(self, reason: str, where: str) -> None:
        """``where`` is the path inside the body, such as ``properties.name``."""
        super().__init__(reason, where)
        self.reason = reason
        self.where = where

    def __str__(self) -> str:
        return f"{self.where}: {self.reason}"


class ArchiveError(EdgeNodeError):
    """An archive file can't be read or written."""

    def __init__(self, where: str, offset: int | None, reason: str) -> None:
        """``where`` names the element, ``offset`` its place in the file in bytes."""
        super().__init__(where, offset, reason)
        self.where = where
        self.offset = offset
        self.reason = reason

    def __str__(self) -> str:
        place = "" if self.offset is None else f", at byte {self.offset}"
        return f"{self.where}{place}: {self.reason}"


class PeerUnavailableError(EdgeNodeError):
    """A node of the cohort can't be reached, or broke off; another try may succeed."""

    def __init__(self, node_id: str, reason: str) -> None:
        super().__init__(node_id, reason)
        self.node_id = node_id
        self.reason = reason

    def __str__(self) -> str:
        return f"node {self.node_id}: {self.reason}"


class PeerRefusedError(EdgeNodeError):
    """A node of the cohort refuses what it is asked."""

    def __init__(self, node_id: str, reason: str) -> None:
        super().__init__(node_id, reason)
        self.node_id = node_id
        self.reason = reason

    def __str__(self) -> str:
        return f"node {self.node_id} refuses: {self.reason}"


class NodeRemovedError(PeerRefusedError):
    """A node refuses this one, because it was removed from the cohort."""

    REASON = "this node was removed from the cohort"

    def __init__(self, node_id: str, reason: str = REASON) -> None:
        super().__init__(node_id, reason)


class OtherKeyError(PeerRefusedError):
    """A node's certificate, or this one's to it, is of another key."""


class MemberUnavailableError(EdgeNodeError):
    """A member of the cohort doesn't answer for its collection; it may do so later."""

    def __init__(self, collection_id: str, reason: str) -> None:
        super().__init__(collection_id, reason)
        self.collection_id = collection_id
        self.reason = reason

    def __str__(self) -> str:
        return f"member {self.collection_id}: {self.reason}"


class MemberElsewhereError(EdgeNodeError):
    """A node of the cohort asks for a member that this node doesn't have."""

    def __init__(self, collection_id: str) -> None:
        super().__init__(collection_id)
        self.collection_id = collection_id

    def __str__(self) -> str:
        return f"this node has no member {self.collection_id}"


class OMRSError(EdgeNodeError):
    """Base of the failures that the OMRS API knows; the subclasses are raised.

    Attributes:
        message_id: The message id on the wire.
        related_http_code: The ``relatedHTTPCode`` of the answer.
        exception_class_name: The simple name of the Java exception.
        template: The message's text, filled by position.
        parameter_names: What the parameters are, in the wire's order.
        parameter_count: How many parameters the template takes.
        default_parameter_name: The ``parameterName`` where the caller gives none.
        system_action: What the server did.
        user_action: What the caller can do.
        parameters: The values for the template, as texts.
        reporting_operation: The wire's ``actionDescription``; empty when unknown.
        parameter_name: The parameter at fault, or None.
        user_id: The user who is refused, or None.
        caused_by: The Java class of the cause, or None.
    """

    message_id: ClassVar[str]
    related_http_code: ClassVar[int]
    exception_class_name: ClassVar[str]
    template: ClassVar[str]
    parameter_names: ClassVar[tuple[str, ...]] = ()
    parameter_count: ClassVar[int]
    default_parameter_name: ClassVar[str | None] = None
    system_action: ClassVar[str]
    user_action: ClassVar[str]

    def __init_subclass__(cls) -> None:
        cls.parameter_count = len(
            {field for _, field, _, _ in Formatter().parse(cls.template) if field}
        )
        if "system_action" not in cls.__dict__:
            cls.system_action = _SYSTEM_ACTIONS[cls.related_http_code]
        if "user_action" not in cls.__dict__:
            cls.user_action = _USER_ACTIONS[cls.related_http_code]

    def __init__(
        self,
        *parameters: object,
        reporting_operation: str = "",
        parameter_name: str | None = None,
        user_id: str | None = None,
        caused_by: str | None = None,
    ) -> None:
        """Fill the message with its parameters.

        What is left out is taken from the parameters where they hold it: the operation
        from the one called ``operation``, and, for the Java classes that carry them,
        the name from the one called ``parameter`` and the user from ``user``.

        Raises:
            TypeError: The number of parameters is not the class's.
        """
        if len(parameters) != self.parameter_count:
            wanted = ", ".join(self.parameter_names) or "none"
            fault = f"{type(self).__name__} takes {wanted}; got {len(parameters)}"
            raise TypeError(fault)
        self.parameters = tuple(str(value) for value in parameters)
        super().__init__(*self.parameters)
        known = dict(zip(self.parameter_names, self.parameters, strict=True))
        self.reporting_operation = reporting_operation or known.get("operation", "")
        self.parameter_name = parameter_name or self.default_parameter_name
        if self.parameter_name is None and (
            self.exception_class_name == "InvalidParameterException"
        ):
            self.parameter_name = known.get("parameter")
        self.user_id = user_id
        if user_id is None and (
            self.exception_class_name == "UserNotAuthorizedException"
        ):
            self.user_id = known.get("user")
        self.caused_by = caused_by

    def __str__(self) -> str:
        return self.message

    @property
    def message(self) -> str:
        """The message id and the filled text."""
        return f"{self.message_id} {self.template.format(*self.parameters)}"

    @property
    def properties(self) -> Mapping[str, str] | None:
        """The wire's ``exceptionProperties``; None when the Java class has none."""
        if self.parameter_name is not None:
            return {"parameterName": self.parameter_name}
        if self.user_id is not None:
            return {"userId": self.user_id}
        return None

    @property
    def java_class(self) -> str:
        """The full name of the Java exception, which callers tell failures by."""
        return f"{JAVA_PACKAGE}.{self.exception_class_name}"


# Servers, users and what a server offers


class UnknownServerError(OMRSError):
    """No server of this name runs on the platform.

    Parameters: server, user. The reporting operation is not among the parameters and
    has to be given.
    """

    message_id = "OMAG-MULTI-TENANT-404-001"
    related_http_code = 404
    exception_class_name = "InvalidParameterException"
    template = "no server {0} runs here, asked for by {1}"
    parameter_names = ("server", "user")
    default_parameter_name = "serverName"


class UserIdMissingError(OMRSError):
    """The request names no user. Parameters: parameter, operation, repository."""

    message_id = "OMRS-REPOSITORY-400-027"
    related_http_code = 400
    exception_class_name = "InvalidParameterException"
    template = "{1} of {2} needs a user in {0}"
    parameter_names = ("parameter", "operation", "repository")


class UserNotAuthorizedError(OMRSError):
    """The user may not use this server. Parameters: user, server."""

    message_id = "OMAG-SERVER-SECURITY-403-002"
    related_http_code = 403
    exception_class_name = "UserNotAuthorizedException"
    template = "{0} may not use server {1}"
    parameter_names = ("user", "server")


class UserNotAuthorizedToReadTypeError(OMRSError):
    """The user may not read this type.

    Parameters: user, type name, type guid, server.
    """

    message_id = "OMAG-SERVER-SECURITY-403-011"
    related_http_code = 403
    exception_class_name = "UserNotAuthorizedException"
    template = "{0} may not read type {1} ({2}) of server {3}"
    parameter_names = ("user", "type name", "type guid", "server")


class UserNotAuthorizedToChangeTypeError(OMRSError):
    """The user may not change this type, or may not create instances of it.

    Parameters: user, type name, type guid, server.
    """

    message_id = "OMAG-SERVER-SECURITY-403-012"
    related_http_code = 403
    exception_class_name = "UserNotAuthorizedException"
    template = "{0} may not change type {1} ({2}) of server {3}"
    parameter_names = ("user", "type name", "type guid", "server")


class UserNotAuthorizedToReadInstanceError(OMRSError):
    """The user may not read this instance.

    Parameters: user, guid, type name, server.
    """

    message_id = "OMAG-SERVER-SECURITY-403-013"
    related_http_code = 403
    exception_class_name = "UserNotAuthorizedException"
    template = "{0} may not read instance {1} of type {2} on server {3}"
    parameter_names = ("user", "guid", "type name", "server")


class UserNotAuthorizedToChangeInstanceError(OMRSError):
    """The user may not change this instance.

    Parameters: user, guid, type name, server.
    """

    message_id = "OMAG-SERVER-SECURITY-403-014"
    related_http_code = 403
    exception_class_name = "UserNotAuthorizedException"
    template = "{0} may not change instance {1} of type {2} on server {3}"
    parameter_names = ("user", "guid", "type name", "server")


class NoLocalRepositoryError(OMRSError):
    """The server has no local repository. Parameters: operation."""

    message_id = "OMRS-REST-API-503-001"
    related_http_code = 503
    exception_class_name = "RepositoryErrorException"
    template = "{0} needs a local repository and this server has none"
    parameter_names = ("operation",)


class NoEnterpriseRepositoryError(OMRSError):
    """The server has no enterprise repository. Parameters: operation."""

    message_id = "OMRS-REST-API-503-002"
    related_http_code = 503
    exception_class_name = "RepositoryErrorException"
    template = (
        "{0} needs the enterprise repository and this server has none: cohort.mode is "
        "none in its configuration"
    )
    parameter_names = ("operation",)


class AwayFromCohortError(OMRSError):
    """Another member asks a server that takes no part in the cohort. Parameters: server."""

    message_id = "EDGENODE-FEDERATION-503-002"
    related_http_code = 503
    exception_class_name = "RepositoryErrorException"
    template = "server {0} takes no part in the cohort: it was disconnected from it"
    parameter_names = ("server",)


class UnpagedAnswerError(OMRSError):
    """A member can't page or filter as asked, and has too much to be taken as a whole.

    Parameters: most, collection. Nobody but this node gets to see it: the member is named
    as missing.
    """

    message_id = "EDGENODE-FEDERATION-503-003"
    related_http_code = 503
    exception_class_name = "RepositoryErrorException"
    template = (
        "the member with metadata collection {1} doesn't page or filter as asked, and has "
        "more than {0} instances to be looked at"
    )
    parameter_names = ("most", "collection")


class NoMetadataHighwayError(OMRSError):
    """The server belongs to no cohort. Parameters: operation."""

    message_id = "OMRS-REST-API-503-003"
    related_http_code = 503
    exception_class_name = "RepositoryErrorException"
    template = "{0} needs the metadata highway and this server is in no cohort"
    parameter_names = ("operation",)


class FunctionNotSupportedError(OMRSError):
    """The repository does not offer the operation.

    Parameters: operation, implementation, repository. A genuine caller remembers this
    until it restarts and never sends the operation to this member again. The
    implementation is a class name.
    """

    message_id = "OMRS-METADATA-COLLECTION-501-001"
    related_http_code = 501
    exception_class_name = "FunctionNotSupportedException"
    template = "{0} is not offered by {1} of {2}"
    parameter_names = ("operation", "implementation", "repository")


class ParameterMissingError(OMRSError):
    """The request lacks its body. Parameters: operation."""

    message_id = "OMRS-REPOSITORY-400-060"
    related_http_code = 400
    exception_class_name = "InvalidParameterException"
    template = "{0} was sent without its body"
    parameter_names = ("operation",)


# The repository as a whole


class RepositoryNotAvailableError(OMRSError):
    """The repository is not there to answer. Parameters: server, operation."""

    message_id = "OMRS-REPOSITORY-404-001"
    related_http_code = 404
    exception_class_name = "RepositoryErrorException"
    template = "the repository of {0} can't serve {1} now"
    parameter_names = ("server", "operation")


class RepositoryLogicError(OMRSError):
    """The repository contradicts itself. Parameters: repository, operation, reason."""

    message_id = "OMRS-METADATA-COLLECTION-500-012"
    related_http_code = 500
    exception_class_name = "RepositoryErrorException"
    template = "{0} reached a state in {1} that should not exist: {2}"
    parameter_names = ("repository", "operation", "reason")


class UnexpectedError(OMRSError):
    """A failure that nobody foresaw, reported under a Java class of any package.

    Parameters: none. Egeria sends neither parameters nor an operation with it, and the
    code is 400.
    """

    message_id = "OMRS-REPOSITORY-400-062"
    related_http_code = 400
    exception_class_name = "RepositoryErrorException"
    template = "the request failed in an unforeseen way"
    system_action = "The request was stopped; nothing of it was stored."
    user_action = "Look for the cause in the server's log."

    def __init__(
        self, *, java_class: str | None = None, caused_by: str | None = None
    ) -> None:
        """Report as ``java_class``, a full name; as RepositoryErrorException if None.

        A genuine caller takes every class that it does not know for a
        RepositoryErrorException.
        """
        super().__init__(caused_by=caused_by)
        self._java_class = java_class

    @property
    def java_class(self) -> str:
        """The given class, else the one of ``exception_class_name``."""
        return self._java_class or super().java_class


class StoreFullError(OMRSError):
    """The disk is full, and nothing of the change is stored.

    Parameters: operation, repository, reason. The message id is our own.
    """

    message_id = "EDGENODE-REPOSITORY-507-001"
    related_http_code = 500
    exception_class_name = "RepositoryErrorException"
    template = "{0} found no space left in the store of {1}: {2}"
    parameter_names = ("operation", "repository", "reason")
    user_action = (
        "Free disk space on the server's machine, then send the request again."
    )


class StoreUnavailableError(OMRSError):
    """The disk refuses reads or writes, and nothing of the change is stored.

    Parameters: operation, repository, reason. The message id is our own.
    """

    message_id = "EDGENODE-REPOSITORY-503-001"
    related_http_code = 503
    exception_class_name = "RepositoryErrorException"
    template = "{0} could not use the store of {1}: {2}"
    parameter_names = ("operation", "repository", "reason")
    user_action = (
        "Look at the disk of the server's machine, then send the request again."
    )


class StorePutBackError(OMRSError):
    """A store was put back to an earlier state, and isn't complete again yet.

    Parameters: repository. The message id is our own.
    """

    message_id = "EDGENODE-REPOSITORY-503-003"
    related_http_code = 503
    exception_class_name = "RepositoryErrorException"
    template = (
        "the store of {0} was put back to an earlier state, and no other member of its "
        "cohort could be asked yet for newer states of what it holds"
    )
    parameter_names = ("repository",)
    user_action = (
        "Start another member of the cohort, then send the request again. If all others "
        "are gone for good, remove their nodes with 'edgenode cohort remove', or stop the "
        "node, run 'edgenode restore --alone', which goes on with what is there, and "
        "start it again."
    )


class SearchTimeoutError(OMRSError):
    """A search was stopped at its time limit, in seconds.

    Parameters: operation, limit, repository. The message id is our own.
    """

    message_id = "EDGENODE-REPOSITORY-503-002"
    related_http_code = 503
    exception_class_name = "RepositoryTimeoutException"
    template = "{0} took too long in {2}: a search may take {1} s, its pattern less"
    parameter_names = ("operation", "limit", "repository")
    system_action = "The search was stopped; nothing was changed."
    user_action = "Narrow the search by type, status or a simpler pattern."


class SearchTooLargeError(OMRSError):
    """A search has more conditions and values than are looked for at once.

    Parameters: limit. The message id is our own.
    """

    message_id = "EDGENODE-REPOSITORY-400-003"
    related_http_code = 400
    exception_class_name = "InvalidParameterException"
    template = "the search has more than {0} conditions and values"
    parameter_names = ("limit",)
    default_parameter_name = "matchProperties"
    system_action = "The search was refused; nothing was changed."
    user_action = "Ask for a part of it at a time, or for a list of values with IN."


# Types: looking them up


class TypeDefIdNotKnownError(OMRSError):
    """A type or attribute type that was asked for by GUID is not known.

    Parameters: guid, parameter, operation, repository. ``deleteTypeDef`` gives the
    type's name, not a parameter's, where the GUID is known under another name.
    """

    message_id = "OMRS-REPOSITORY-404-007"
    related_http_code = 404
    exception_class_name = "TypeDefNotKnownException"
    template = "no type {0}, given as {1} of {2}, is known in {3}"
    parameter_names = ("guid", "parameter", "operation", "repository")


class TypeIdNotKnownError(OMRSError):
    """The type GUID of an instance request or search is not known.

    Parameters: guid, parameter, operation, repository.
    """

    message_id = "OMRS-REPOSITORY-404-007"
    related_http_code = 404
    exception_class_name = "TypeErrorException"
    template = "no type {0}, given as {1} of {2}, is known in {3}"
    parameter_names = ("guid", "parameter", "operation", "repository")


class TypeDefToChangeNotKnownError(OMRSError):
    """The type to delete or re-identify is not known.

    Parameters: guid, parameter, operation, repository. ``parameterName`` names both
    parameters, as in ``"obsoleteTypeDefGUID or obsoleteTypeDefName"``, and has to be
    given.
    """

    message_id = "OMRS-REPOSITORY-404-007"
    related_http_code = 404
    exception_class_name = "InvalidParameterException"
    template = "no type {0}, given as {1} of {2}, is known in {3}"
    parameter_names = ("guid", "parameter", "operation", "repository")


class TypeDefNameNotKnownError(OMRSError):
    """A type or attribute type that was asked for by name is not known.

    Parameters: name, operation, repository.
    """

    message_id = "OMRS-REPOSITORY-404-009"
    related_http_code = 404
    exception_class_name = "TypeDefNotKnownException"
    template = "no type {0}, asked for by {1}, is known in {2}"
    parameter_names = ("name", "operation", "repository")


class TypeNameNotKnownError(OMRSError):
    """The type name of an instance request is not known.

    Parameters: name, operation, repository.
    """

    message_id = "OMRS-REPOSITORY-404-009"
    related_http_code = 404
    exception_class_name = "TypeErrorException"
    template = "no type {0}, used by {1}, is known in {2}"
    parameter_names = ("name", "operation", "repository")


class TypeDefNotKnownError(OMRSError):
    """A type that was asked for by name and GUID is not known.

    Parameters: type name, type guid, parameter, operation, repository.
    """

    message_id = "OMRS-REPOSITORY-404-004"
    related_http_code = 404
    exception_class_name = "TypeDefNotKnownException"
    template = "no type {0} ({1}), given as {2} of {3}, is known in {4}"
    parameter_names = ("type name", "type guid", "parameter", "operation", "repository")


class TypeNotKnownError(OMRSError):
    """The new type of an instance (re-type) is not known.

    Parameters: type name, type guid, parameter, operation, repository.
    """

    message_id = "OMRS-REPOSITORY-404-004"
    related_http_code = 404
    exception_class_name = "TypeErrorException"
    template = "no type {0} ({1}), given as {2} of {3}, is known in {4}"
    parameter_names = ("type name", "type guid", "parameter", "operation", "repository")


class TypeNotKnownForInstanceError(OMRSError):
    """The type of an instance is not known.

    Parameters: type name, category, operation, repository.
    """

    message_id = "OMRS-REPOSITORY-404-005"
    related_http_code = 404
    exception_class_name = "TypeErrorException"
    template = "no {1} {0}, needed by {2}, is known in {3}"
    parameter_names = ("type name", "category", "operation", "repository")


class TypeIdentifiersNotKnownError(OMRSError):
    """The name and GUID of a type do not belong together.

    Parameters: type name, type guid, repository, operation, guid parameter, name
    parameter.
    """

    message_id = "OMRS-CONTENT-MANAGER-500-005"
    related_http_code = 500
    exception_class_name = "TypeErrorException"
    template = "type {0} ({1}), given to {3} as {5} and {4}, is not known in {2}"
    parameter_names = (
        "type name",
        "type guid",
        "repository",
        "operation",
        "guid parameter",
        "name parameter",
    )


class BadTypeDefError(OMRSError):
    """A type's definition can't be used.

    Parameters: inner operation, type name, repository, operation.
    """

    message_id = "OMRS-CONTENT-MANAGER-500-001"
    related_http_code = 500
    exception_class_name = "TypeErrorException"
    template = "{0} found type {1} of {2} broken during {3}"
    parameter_names = ("inner operation", "type name", "repository", "operation")


class AttributeTypeDefToChangeNotKnownError(OMRSError):
    """The attribute type to delete or re-identify is not known.

    Parameters: inner operation, type guid, repository, operation. Egeria gives
    ``getAttributeTypeDef`` as the inner operation, and both names as ``parameterName``.
    """

    message_id = "OMRS-CONTENT-MANAGER-500-001"
    related_http_code = 500
    exception_class_name = "InvalidParameterException"
    template = "{0} found no attribute type {1} in {2} for {3}"
    parameter_names = ("inner operation", "type guid", "repository", "operation")


class BadCategoryForTypeError(OMRSError):
    """A type of another category was given, such as a relationship type for an entity.

    Parameters: repository, type name, category. The category is the expected one's bean
    class (``EntityDef``).
    """

    message_id = "OMRS-CONTENT-MANAGER-500-004"
    related_http_code = 500
    exception_class_name = "TypeErrorException"
    template = "type {1} of {0} is not an {2}"
    parameter_names = ("repository", "type name", "category")


# Types: maintaining them


class TypeDefKnownError(OMRSError):
    """The new type's name or GUID is taken.

    Parameters: type name, type guid, repository.
    """

    message_id = "OMRS-REPOSITORY-400-003"
    related_http_code = 400
    exception_class_name = "TypeDefKnownException"
    template = "type {0} ({1}) is in {2} already"
    parameter_names = ("type name", "type guid", "repository")


class AttributeTypeDefKnownError(OMRSError):
    """The new attribute type's name or GUID is taken.

    Parameters: type name, type guid, repository.
    """

    message_id = "OMRS-REPOSITORY-400-004"
    related_http_code = 400
    exception_class_name = "TypeDefKnownException"
    template = "attribute type {0} ({1}) is in {2} already"
    parameter_names = ("type name", "type guid", "repository")


class TypeDefInUseError(OMRSError):
    """The type to delete has instances or subtypes.

    Parameters: type name, type guid, repository.
    """

    message_id = "OMRS-REPOSITORY-400-001"
    related_http_code = 400
    exception_class_name = "TypeDefInUseException"
    template = "type {0} ({1}) is still used in {2}"
    parameter_names = ("type name", "type guid", "repository")


class AttributeTypeDefInUseError(OMRSError):
    """The attribute type to delete is used by a type.

    Parameters: type name, type guid, repository. Egeria defines this message without
    ever raising it.
    """

    message_id = "OMRS-REPOSITORY-400-002"
    related_http_code = 400
    exception_class_name = "TypeDefInUseException"
    template = "attribute type {0} ({1}) is still used in {2}"
    parameter_names = ("type name", "type guid", "repository")


class TypeDefConflictError(OMRSError):
    """A type or attribute type contradicts one known by the same name or GUID.

    Parameters: type guid, type name, repository.
    """

    message_id = "OMRS-REPOSITORY-400-059"
    related_http_code = 400
    exception_class_name = "TypeDefConflictException"
    template = "type {0} named {1} conflicts with a type of {2}"
    parameter_names = ("type guid", "type name", "repository")


class TypeDefNotSupportedError(OMRSError):
    """The repository can't keep this type. Parameters: repository, type name."""

    message_id = "OMRS-METADATA-COLLECTION-501-002"
    related_http_code = 501
    exception_class_name = "TypeDefNotSupportedException"
    template = "{0} can't keep type {1}"
    parameter_names = ("repository", "type name")


class InvalidTypeDefError(OMRSError):
    """The type contradicts itself or its supertypes.

    Parameters: type name, type guid, parameter, operation, repository, fault. The fault
    is a short text. Egeria defines this message without ever raising it.
    """

    message_id = "OMRS-REPOSITORY-400-017"
    related_http_code = 400
    exception_class_name = "InvalidTypeDefException"
    template = "type {0} ({1}), given as {2} of {3}, can't be used in {4}: {5}"
    parameter_names = (
        "type name",
        "type guid",
        "parameter",
        "operation",
        "repository",
        "fault",
    )


class UnsupportedTypeHeaderVersionError(OMRSError):
    """The type is written in a newer form than this server reads.

    Parameters: operation, repository, type name, header version, supported version.
    Egeria repeats the given version as the supported one.
    """

    message_id = "OMRS-REPOSITORY-400-065"
    related_http_code = 400
    exception_class_name = "InvalidTypeDefException"
    template = "{0} of {1} was given type {2} in header version {3}, newest known {4}"
    parameter_names = (
        "operation",
        "repository",
        "type name",
        "header version",
        "supported version",
    )


class TypeDefNameMissingError(OMRSError):
    """The name of a type is missing. Parameters: parameter, operation, repository."""

    message_id = "OMRS-REPOSITORY-400-007"
    related_http_code = 400
    exception_class_name = "InvalidParameterException"
    template = "{1} of {2} needs the type's name in {0}"
    parameter_names = ("parameter", "operation", "repository")


class AttributeTypeDefNameMissingError(OMRSError):
    """The name of an attribute type is missing.

    Parameters: parameter, operation, repository.
    """

    message_id = "OMRS-REPOSITORY-400-008"
    related_http_code = 400
    exception_class_name = "InvalidParameterException"
    template = "{1} of {2} needs the attribute type's name in {0}"
    parameter_names = ("parameter", "operation", "repository")


class TypeDefCategoryMissingError(OMRSError):
    """The category of a type is missing.

    Parameters: parameter, operation, repository.
    """

    message_id = "OMRS-REPOSITORY-400-009"
    related_http_code = 400
    exception_class_name = "InvalidParameterException"
    template = "{1} of {2} needs the type's category in {0}"
    parameter_names = ("parameter", "operation", "repository")


class AttributeTypeDefCategoryMissingError(OMRSError):
    """The category of an attribute type is missing.

    Parameters: parameter, operation, repository.
    """

    message_id = "OMRS-REPOSITORY-400-010"
    related_http_code = 400
    exception_class_name = "InvalidParameterException"
    template = "{1} of {2} needs the attribute type's category in {0}"
    parameter_names = ("parameter", "operation", "repository")


class TypeDefMissingError(OMRSError):
    """The type is missing, or the type that a patch names is not known.

    Parameters: parameter, operation, repository.
    """

    message_id = "OMRS-REPOSITORY-400-019"
    related_http_code = 400
    exception_class_name = "InvalidParameterException"
    template = "{1} of {2} has no type in {0}"
    parameter_names = ("parameter", "operation", "repository")


class AttributeTypeDefMissingError(OMRSError):
    """The attribute type is missing. Parameters: parameter, operation, repository."""

    message_id = "OMRS-REPOSITORY-400-020"
    related_http_code = 400
    exception_class_name = "InvalidParameterException"
    template = "{1} of {2} has no attribute type in {0}"
    parameter_names = ("parameter", "operation", "repository")


class TypeDefGalleryMissingError(OMRSError):
    """The gallery of types is missing. Parameters: parameter, operation, repository."""

    message_id = "OMRS-REPOSITORY-400-021"
    related_http_code = 400
    exception_class_name = "InvalidParameterException"
    template = "{1} of {2} has no types in {0}"
    parameter_names = ("parameter", "operation", "repository")


class TypeDefIdMissingError(OMRSError):
    """The GUID of a type is missing. Parameters: parameter, operation, repository."""

    message_id = "OMRS-REPOSITORY-400-022"
    related_http_code = 400
    exception_class_name = "InvalidParameterException"
    template = "{1} of {2} needs the type's GUID in {0}"
    parameter_names = ("parameter", "operation", "repository")


class AttributeTypeDefIdMissingError(OMRSError):
    """The GUID of an attribute type is missing.

    Parameters: parameter, operation, repository.
    """

    message_id = "OMRS-REPOSITORY-400-024"
    related_http_code = 400
    exception_class_name = "InvalidParameterException"
    template = "{1} of {2} needs the attribute type's GUID in {0}"
    parameter_names = ("parameter", "operation", "repository")


class TypeDefAttributeMissingError(OMRSError):
    """A type's list of attributes has a gap.

    Parameters: repository. The reporting operation is not among the parameters and has
    to be given.
    """

    message_id = "OMRS-CONTENT-MANAGER-500-003"
    related_http_code = 500
    exception_class_name = "TypeErrorException"
    template = "a type given to {0} has an empty attribute"
    parameter_names = ("repository",)


class TypeDefAttributeNameMissingError(OMRSError):
    """A type has an attribute without a name.

    Parameters: repository. The reporting operation is not among the parameters and has
    to be given.
    """

    message_id = "OMRS-CONTENT-MANAGER-500-002"
    related_http_code = 500
    exception_class_name = "TypeErrorException"
    template = "a type given to {0} has an attribute without a name"
    parameter_names = ("repository",)


# Types: patches


class TypeDefPatchMissingError(OMRSError):
    """The patch is missing. Parameters: operation, repository."""

    message_id = "OMRS-REPOSITORY-400-049"
    related_http_code = 400
    exception_class_name = "InvalidParameterException"
    template = "{0} of {1} has no patch"
    parameter_names = ("operation", "repository")


class InvalidPatchVersionError(OMRSError):
    """The patch does not lead to a newer version.

    Parameters: operation, repository, apply to version, update to version, patch. The
    patch is any short text that identifies it.
    """

    message_id = "OMRS-REPOSITORY-400-067"
    related_http_code = 400
    exception_class_name = "PatchErrorException"
    template = "{0} of {1} can't patch from version {2} to {3}: {4}"
    parameter_names = (
        "operation",
        "repository",
        "apply to version",
        "update to version",
        "patch",
    )


class IncompatiblePatchVersionError(OMRSError):
    """The patch is made for another version than the one known.

    Parameters: operation, repository, apply to version, type version, patch. The
    reporting operation is ``applyPatch``. The patch is any short text that identifies
    it.
    """

    message_id = "OMRS-REPOSITORY-400-068"
    related_http_code = 400
    exception_class_name = "PatchErrorException"
    template = "{0} of {1} has a patch for version {2}, but the type is at {3}: {4}"
    parameter_names = (
        "operation",
        "repository",
        "apply to version",
        "type version",
        "patch",
    )


class PatchFieldMissingError(OMRSError):
    """A field that every patch needs is missing.

    Parameters: operation, repository, field, patch. The patch is any short text that
    identifies it.
    """

    message_id = "OMRS-REPOSITORY-400-069"
    related_http_code = 400
    exception_class_name = "PatchErrorException"
    template = "{0} of {1} needs {2} in the patch: {3}"
    parameter_names = ("operation", "repository", "field", "patch")


class IncompatiblePropertyPatchError(OMRSError):
    """A patch gives a known property another type.

    Parameters: operation, repository, property, current type, new type, patch. The
    reporting operation is ``applyPatch``. The types and the patch are any short text
    that identifies them.
    """

    message_id = "OMRS-REPOSITORY-400-070"
    related_http_code = 400
    exception_class_name = "PatchErrorException"
    template = "{0} of {1} can't turn property {2} from {3} into {4}: {5}"
    parameter_names = (
        "operation",
        "repository",
        "property",
        "current type",
        "new type",
        "patch",
    )


# Finding types


class ExternalIdMissingError(OMRSError):
    """A search by external standard names none. Parameters: operation, repository."""

    message_id = "OMRS-REPOSITORY-400-012"
    related_http_code = 400
    exception_class_name = "InvalidParameterException"
    template = "{0} of {1} needs a standard, an organization or an identifier"
    parameter_names = ("operation", "repository")
    default_parameter_name = "externalId"


# Searching and paging


class SearchCriteriaMissingError(OMRSError):
    """The search text is missing. Parameters: parameter, operation, repository."""

    message_id = "OMRS-REPOSITORY-400-013"
    related_http_code = 400
    exception_class_name = "InvalidParameterException"
    template = "{1} of {2} needs something to search for in {0}"
    parameter_names = ("parameter", "operation", "repository")


class MatchCriteriaMissingError(OMRSError):
    """Properties to match are given without how many of them have to.

    Parameters: parameter, operation, repository.
    """

    message_id = "OMRS-REPOSITORY-400-011"
    related_http_code = 400
    exception_class_name = "InvalidParameterException"
    template = "{1} of {2} needs {0} to go with the properties"
    parameter_names = ("parameter", "operation", "repository")


class InvalidSearchPatternError(OMRSError):
    """A regular expression can't be read.

    Parameters: cause class, pattern, value, reason, operation. The cause is a Java
    class (``java.util.regex.PatternSyntaxException``). Egeria gives
    ``countMatchingPropertyValues`` as the operation of findEntitiesByProperty.
    """

    message_id = "OMRS-PROPERTIES-400-006"
    related_http_code = 400
    exception_class_name = "InvalidParameterException"
    template = "{0} for pattern {1} tried on {2} by {4}: {3}"
    parameter_names = ("cause class", "pattern", "value", "reason", "operation")
    default_parameter_name = "instanceProperties"


class InvalidPropertySearchError(OMRSError):
    """A property condition is incomplete, or is two things at once.

    Parameters: none. The reporting operation has to be given.
    """

    message_id = "OMRS-REPOSITORY-400-074"
    related_http_code = 400
    exception_class_name = "InvalidParameterException"
    template = (
        "a property condition holds either a property with its operator or nested "
        "conditions"
    )
    default_parameter_name = "matchProperties"


class InvalidClassificationSearchError(OMRSError):
    """A classification condition is incomplete.

    Parameters: none. The reporting operation has to be given.
    """

    message_id = "OMRS-REPOSITORY-400-075"
    related_http_code = 400
    exception_class_name = "InvalidParameterException"
    template = "a classification condition needs a name"
    default_parameter_name = "matchClassifications"


class InvalidListConditionError(OMRSError):
    """The value of an IN condition is not an array.

    Parameters: none. The reporting operation has to be given.
    """

    message_id = "OMRS-REPOSITORY-400-076"
    related_http_code = 400
    exception_class_name = "InvalidParameterException"
    template = "the IN operator needs an array to look in"
    default_parameter_name = "matchProperties"


class InvalidLikeConditionError(OMRSError):
    """The value of a LIKE condition is not a string.

    Parameters: none. The reporting operation has to be given.
    """

    message_id = "OMRS-REPOSITORY-400-077"
    related_http_code = 400
    exception_class_name = "InvalidParameterException"
    template = "the LIKE operator needs a string to match"
    default_parameter_name = "matchProperties"


class InvalidNumericConditionError(OMRSError):
    """The value of an ordering condition is neither a number nor a date.

    Parameters: operator. The operator is its display name (``Less than``). The
    reporting operation has to be given.
    """

    message_id = "OMRS-REPOSITORY-400-078"
    related_http_code = 400
    exception_class_name = "InvalidParameterException"
    template = "the operator {0} needs a number or a date"
    parameter_names = ("operator",)
    default_parameter_name = "matchProperties"


class InvalidPropertyForSearchError(OMRSError):
    """A stored property can't be compared with the one searched for.

    Parameters: cause class, parameter, operation, repository, reason.
    """

    message_id = "OMRS-REPOSITORY-400-040"
    related_http_code = 400
    exception_class_name = "RepositoryErrorException"
    template = "{0} for {1} of {2} in {3}: {4}"
    parameter_names = ("cause class", "parameter", "operation", "repository", "reason")


class TypeNotSubtypeError(OMRSError):
    """Subtypes to search for do not descend from the type searched for.

    Parameters: subtype guids, type guid. The GUIDs are one text, ``[guid, guid]``. The
    reporting operation has to be given.
    """

    message_id = "OMRS-REPOSITORY-400-079"
    related_http_code = 400
    exception_class_name = "TypeErrorException"
    template = "{0} are no subtypes of {1}"
    parameter_names = ("subtype guids", "type guid")


class NegativePageSizeError(OMRSError):
    """The page size is below zero.

    Parameters: page size, parameter, operation, repository. A negative offset is an
    ``UnexpectedError`` of ``java.lang.IndexOutOfBoundsException``.
    """

    message_id = "OMRS-REPOSITORY-400-050"
    related_http_code = 400
    exception_class_name = "PagingErrorException"
    template = "{0} can't be the {1} of {2} in {3}"
    parameter_names = ("page size", "parameter", "operation", "repository")


# Time and history


class AsOfTimeInFutureError(OMRSError):
    """A state in the future was asked for.

    Parameters: time, parameter, operation, repository. The time is written as Java does
    (``Thu Jan 01 00:00:00 UTC 2099``).
    """

    message_id = "OMRS-REPOSITORY-400-038"
    related_http_code = 400
    exception_class_name = "InvalidParameterException"
    template = "{0} as {1} of {2} is still to come for {3}"
    parameter_names = ("time", "parameter", "operation", "repository")


class AsOfTimeMissingError(OMRSError):
    """The time of a read from history is missing.

    Parameters: operation, parameter, repository.
    """

    message_id = "OMRS-REPOSITORY-400-057"
    related_http_code = 400
    exception_class_name = "InvalidParameterException"
    template = "{0} of {2} needs a time in {1}"
    parameter_names = ("operation", "parameter", "repository")


class InvalidTimeRangeError(OMRSError):
    """A range of history ends before it begins.

    Parameters: operation, from time, to time. The times are written as Java does (``Thu
    Jan 01 00:00:00 UTC 2026``).
    """

    message_id = "OMRS-REPOSITORY-400-083"
    related_http_code = 400
    exception_class_name = "InvalidParameterException"
    template = "{0} can't read from {1} back to {2}"
    parameter_names = ("operation", "from time", "to time")
    default_parameter_name = "fromTime/toTime"


# Properties


class BadPropertyForTypeError(OMRSError):
    """The type has no property of this name.

    Parameters: property, category, type name, repository. The category is the type's
    bean class (``EntityDef``). The reporting operation has to be given.
    """

    message_id = "OMRS-REPOSITORY-400-028"
    related_http_code = 400
    exception_class_name = "PropertyErrorException"
    template = "{1} {2} has no property {0} in {3}"
    parameter_names = ("property", "category", "type name", "repository")


class NoPropertiesForTypeError(OMRSError):
    """The type has no properties at all.

    Parameters: category, type name, repository. The category is the type's bean class
    (``EntityDef``). The reporting operation has to be given.
    """

    message_id = "OMRS-REPOSITORY-400-029"
    related_http_code = 400
    exception_class_name = "PropertyErrorException"
    template = "{0} {1} has no properties in {2}"
    parameter_names = ("category", "type name", "repository")


class BadPropertyTypeError(OMRSError):
    """The value is of another kind than the property.

    Parameters: property, given type, category, type name, expected type, repository.
    The category is the type's bean class (``EntityDef``). The reporting operation has
    to be given.
    """

    message_id = "OMRS-REPOSITORY-400-030"
    related_http_code = 400
    exception_class_name = "PropertyErrorException"
    template = "{0} of {2} {3} is a {4} and not a {1} in {5}"
    parameter_names = (
        "property",
        "given type",
        "category",
        "type name",
        "expected type",
        "repository",
    )


class PropertyNameMissingError(OMRSError):
    """A property has no name. Parameters: parameter, operation, repository."""

    message_id = "OMRS-REPOSITORY-400-031"
    related_http_code = 400
    exception_class_name = "PropertyErrorException"
    template = "{1} of {2} has a property without a name in {0}"
    parameter_names = ("parameter", "operation", "repository")


class PropertyValueMissingError(OMRSError):
    """A property's value object is null.

    Parameters: parameter, operation, repository.
    """

    message_id = "OMRS-REPOSITORY-400-032"
    related_http_code = 400
    exception_class_name = "PropertyErrorException"
    template = "{1} of {2} has a property without a value in {0}"
    parameter_names = ("parameter", "operation", "repository")


class PropertyTypeMissingError(OMRSError):
    """A property's value has no type. Parameters: parameter, operation, repository."""

    message_id = "OMRS-REPOSITORY-400-033"
    related_http_code = 400
    exception_class_name = "PropertyErrorException"
    template = "{1} of {2} has a property without a type in {0}"
    parameter_names = ("parameter", "operation", "repository")


class NewPropertiesMissingError(OMRSError):
    """An update of properties carries none.

    Parameters: parameter, operation, repository.
    """

    message_id = "OMRS-REPOSITORY-400-037"
    related_http_code = 400
    exception_class_name = "PropertyErrorException"
    template = "{1} of {2} needs the new properties in {0}"
    parameter_names = ("parameter", "operation", "repository")


# Instances: what a request may ask for


class GuidMissingError(OMRSError):
    """The GUID of an instance is missing.

    Parameters: parameter, operation, repository.
    """

    message_id = "OMRS-REPOSITORY-400-014"
    related_http_code = 400
    exception_class_name = "InvalidParameterException"
    template = "{1} of {2} needs a GUID in {0}"
    parameter_names = ("parameter", "operation", "repository")


class BadTypeIdForInstanceError(OMRSError):
    """The type GUID of an instance can't be used.

    Parameters: parameter, operation, repository.
    """

    message_id = "OMRS-REPOSITORY-400-034"
    related_http_code = 400
    exception_class_name = "TypeErrorException"
    template = "{1} of {2} has no usable type GUID in {0}"
    parameter_names = ("parameter", "operation", "repository")


class TypeMismatchError(OMRSError):
    """The type that a request names is not the instance's.

    Parameters: type name, type guid, operation, guid, repository. ``parameterName`` is
    ``type``, or the one at fault where the name and GUID are not a known type.
    """

    message_id = "OMRS-REPOSITORY-400-039"
    related_http_code = 400
    exception_class_name = "InvalidParameterException"
    template = "{0} ({1}), given to {2}, is not the type of {3} in {4}"
    parameter_names = ("type name", "type guid", "operation", "guid", "repository")
    default_parameter_name = "type"


class InstanceStatusMissingError(OMRSError):
    """The new status is missing. Parameters: parameter, operation, repository."""

    message_id = "OMRS-REPOSITORY-400-036"
    related_http_code = 400
    exception_class_name = "InvalidParameterException"
    template = "{1} of {2} needs a status in {0}"
    parameter_names = ("parameter", "operation", "repository")


class BadInstanceStatusError(OMRSError):
    """The type does not have this status.

    Parameters: status, parameter, operation, repository, type name. The status is its
    display name (``Draft``).
    """

    message_id = "OMRS-REPOSITORY-400-035"
    related_http_code = 400
    exception_class_name = "StatusNotSupportedException"
    template = "status {0}, given as {1} of {2} in {3}, is not one of {4}"
    parameter_names = ("status", "parameter", "operation", "repository", "type name")


class DeletedStatusError(OMRSError):
    """The status for deleted instances was asked for.

    Parameters: status, parameter, operation, repository. The status is its display name
    (``Deleted``).
    """

    message_id = "OMRS-REPOSITORY-400-058"
    related_http_code = 400
    exception_class_name = "StatusNotSupportedException"
    template = "status {0}, given as {1} of {2} in {3}, comes from deleting only"
    parameter_names = ("status", "parameter", "operation", "repository")


class InstanceAlreadyDeletedError(OMRSError):
    """The instance to delete is deleted already.

    Parameters: operation, repository, guid.
    """

    message_id = "OMRS-REPOSITORY-400-045"
    related_http_code = 400
    exception_class_name = "InvalidParameterException"
    template = "{0} in {1} found {2} deleted already"
    parameter_names = ("operation", "repository", "guid")


# Instances: what is stored or sent


class InstanceTypeMissingError(OMRSError):
    """An instance has no type.

    Parameters: operation, repository. The operation is ``validateInstanceType`` in
    Egeria.
    """

    message_id = "OMRS-METADATA-COLLECTION-500-013"
    related_http_code = 500
    exception_class_name = "RepositoryErrorException"
    template = "{0} in {1} met an instance without a type"
    parameter_names = ("operation", "repository")


class InstanceTypeNotActiveError(OMRSError):
    """An instance's type is not known.

    Parameters: operation, repository, guid, type name, type guid. The operation is
    ``validateInstanceType`` in Egeria.
    """

    message_id = "OMRS-METADATA-COLLECTION-500-014"
    related_http_code = 500
    exception_class_name = "RepositoryErrorException"
    template = "{0} in {1} met {2} of type {3} ({4}), which is not known"
    parameter_names = ("operation", "repository", "guid", "type name", "type guid")


class InstanceTypeNameMissingError(OMRSError):
    """An instance's type has no name. Parameters: parameter, operation, repository."""

    message_id = "OMRS-REPOSITORY-400-023"
    related_http_code = 400
    exception_class_name = "InvalidParameterException"
    template = "{1} of {2} needs the name of the instance's type in {0}"
    parameter_names = ("parameter", "operation", "repository")


class UnsupportedInstanceHeaderVersionError(OMRSError):
    """The instance is written in a newer form than this server reads.

    Parameters: operation, kind, repository, guid, type name, header version, supported
    version.
    """

    message_id = "OMRS-REPOSITORY-400-066"
    related_http_code = 400
    exception_class_name = "InvalidParameterException"
    template = (
        "{0} of {2} was given {1} {3} of type {4} in header version {5}, newest "
        "known {6}"
    )
    parameter_names = (
        "operation",
        "kind",
        "repository",
        "guid",
        "type name",
        "header version",
        "supported version",
    )


class InvalidInstanceError(OMRSError):
    """An instance lacks what every instance has.

    Parameters: operation, instance. The instance is any short text that identifies it.
    """

    message_id = "OMRS-REPOSITORY-400-061"
    related_http_code = 400
    exception_class_name = "RepositoryErrorException"
    template = "{0} can't use the instance {1}"
    parameter_names = ("operation", "instance")


class InvalidEntityError(OMRSError):
    """An entity of a batch of reference copies can't be stored.

    Parameters: cause class, reason. The cause is an exception's full Java name.
    """

    message_id = "OMRS-REPOSITORY-400-073"
    related_http_code = 400
    exception_class_name = "InvalidEntityException"
    template = "{0}: {1}"
    parameter_names = ("cause class", "reason")


class InvalidRelationshipError(OMRSError):
    """A relationship of a batch of reference copies can't be stored.

    Parameters: cause class, reason. The cause is an exception's full Java name.
    """

    message_id = "OMRS-REPOSITORY-400-073"
    related_http_code = 400
    exception_class_name = "InvalidRelationshipException"
    template = "{0}: {1}"
    parameter_names = ("cause class", "reason")


class InstanceHomeMissingError(OMRSError):
    """A stored instance or classification names no home.

    Parameters: guid, repository, operation, instance. The guid is the classification's
    name for a classification. The instance is any short text that identifies it.
    """

    message_id = "OMRS-REPOSITORY-400-054"
    related_http_code = 400
    exception_class_name = "RepositoryErrorException"
    template = "{0} of {1} has no home for {2}: {3}"
    parameter_names = ("guid", "repository", "operation", "instance")


class InvalidEntityFromStoreError(OMRSError):
    """A stored entity can't be used.

    Parameters: guid, repository, operation, instance. The instance is any short text
    that identifies it.
    """

    message_id = "OMRS-REPOSITORY-400-052"
    related_http_code = 400
    exception_class_name = "RepositoryErrorException"
    template = "entity {0} is unusable as stored in {1} for {2}: {3}"
    parameter_names = ("guid", "repository", "operation", "instance")


class InvalidRelationshipFromStoreError(OMRSError):
    """A stored relationship can't be used.

    Parameters: guid, repository, operation, instance. The instance is any short text
    that identifies it.
    """

    message_id = "OMRS-REPOSITORY-400-053"
    related_http_code = 400
    exception_class_name = "RepositoryErrorException"
    template = "relationship {0} is unusable as stored in {1} for {2}: {3}"
    parameter_names = ("guid", "repository", "operation", "instance")


# Entities


class EntityNotKnownError(OMRSError):
    """No entity of this GUID is known.

    Parameters: guid, operation, repository. An end of a new relationship, and
    relationships of an entity, report ``getEntitySummary``.
    """

    message_id = "OMRS-REPOSITORY-404-002"
    related_http_code = 404
    exception_class_name = "EntityNotKnownException"
    template = "no entity {0} for {1} in {2}"
    parameter_names = ("guid", "operation", "repository")


class EntitySoftDeletedError(OMRSError):
    """The entity is deleted and not purged yet.

    Parameters: type name, guid, operation, repository.
    """

    message_id = "OMRS-REPOSITORY-404-013"
    related_http_code = 404
    exception_class_name = "EntityNotKnownException"
    template = "{0} {1} is deleted for {2} in {3}"
    parameter_names = ("type name", "guid", "operation", "repository")


class EntityNotDeletedError(OMRSError):
    """An entity that is not deleted can't be purged or restored.

    Parameters: operation, repository, guid.
    """

    message_id = "OMRS-REPOSITORY-400-046"
    related_http_code = 400
    exception_class_name = "EntityNotDeletedException"
    template = "{0} in {1} needs entity {2} to be deleted first"
    parameter_names = ("operation", "repository", "guid")


class EntityProxyOnlyError(OMRSError):
    """Only a proxy of the entity is known.

    Parameters: guid, repository, parameter, operation.
    """

    message_id = "OMRS-REPOSITORY-400-051"
    related_http_code = 400
    exception_class_name = "EntityProxyOnlyException"
    template = "entity {0} is only a proxy in {1}, given as {2} of {3}"
    parameter_names = ("guid", "repository", "parameter", "operation")


class EntityCanNotBeUpdatedError(OMRSError):
    """The entity is another member's. Parameters: repository, guid, operation."""

    message_id = "OMRS-LOCAL-REPOSITORY-503-009"
    related_http_code = 503
    exception_class_name = "InvalidParameterException"
    template = "{0} is not where entity {1} may be changed by {2}"
    parameter_names = ("repository", "guid", "operation")
    default_parameter_name = "entityGUID"
    system_action = "The request was refused; nothing was changed."
    user_action = "Send the request to the member that is the instance's home."


# Proxies


class EntityProxyMissingError(OMRSError):
    """The entity proxy is missing. Parameters: repository, parameter, operation."""

    message_id = "OMRS-REPOSITORY-400-043"
    related_http_code = 400
    exception_class_name = "InvalidParameterException"
    template = "{0} needs an entity proxy in {1} of {2}"
    parameter_names = ("repository", "parameter", "operation")


class LocalEntityProxyError(OMRSError):
    """A proxy claims this repository as its home.

    Parameters: repository, parameter, operation.
    """

    message_id = "OMRS-REPOSITORY-400-044"
    related_http_code = 400
    exception_class_name = "InvalidParameterException"
    template = "{0} is the home of the proxy in {1} of {2}"
    parameter_names = ("repository", "parameter", "operation")


class EntityProxyInHomeError(OMRSError):
    """A proxy stands where its home should have the entity.

    Parameters: repository, guid, operation.
    """

    message_id = "OMRS-LOCAL-REPOSITORY-503-007"
    related_http_code = 503
    exception_class_name = "InvalidParameterException"
    template = "{0} is the home of {1} yet has only a proxy for {2}"
    parameter_names = ("repository", "guid", "operation")
    default_parameter_name = "entityGUID"
    system_action = "The request was refused; nothing was changed."
    user_action = "Restore the entity from a backup or another member."


# Relationships


class RelationshipNotKnownError(OMRSError):
    """No relationship of this GUID is known.

    Parameters: guid, operation, repository. Updates of a relationship report
    ``getRelationship``.
    """

    message_id = "OMRS-REPOSITORY-404-011"
    related_http_code = 404
    exception_class_name = "RelationshipNotKnownException"
    template = "no relationship {0} for {1} in {2}"
    parameter_names = ("guid", "operation", "repository")


class RelationshipSoftDeletedError(OMRSError):
    """The relationship is deleted and not purged yet.

    Parameters: type name, guid, operation, repository. Updates of a relationship report
    ``getRelationship``.
    """

    message_id = "OMRS-REPOSITORY-404-012"
    related_http_code = 404
    exception_class_name = "RelationshipNotKnownException"
    template = "{0} {1} is deleted for {2} in {3}"
    parameter_names = ("type name", "guid", "operation", "repository")


class RelationshipNotDeletedError(OMRSError):
    """A relationship that is not deleted can't be purged or restored.

    Parameters: operation, repository, guid.
    """

    message_id = "OMRS-REPOSITORY-400-046"
    related_http_code = 400
    exception_class_name = "RelationshipNotDeletedException"
    template = "{0} in {1} needs relationship {2} to be deleted first"
    parameter_names = ("operation", "repository", "guid")


class RelationshipCanNotBeUpdatedError(OMRSError):
    """The relationship is another member's. Parameters: repository, guid, operation."""

    message_id = "OMRS-LOCAL-REPOSITORY-503-010"
    related_http_code = 503
    exception_class_name = "InvalidParameterException"
    template = "{0} is not where relationship {1} may be changed by {2}"
    parameter_names = ("repository", "guid", "operation")
    default_parameter_name = "relationshipGUID"
    system_action = "The request was refused; nothing was changed."
    user_action = "Send the request to the member that is the instance's home."


class InvalidRelationshipEndsError(OMRSError):
    """The entities are not of the types that the relationship links.

    Parameters: operation, repository, type name, guid one, type one, expected type one,
    guid two, type two, expected type two.
    """

    message_id = "OMRS-REPOSITORY-400-047"
    related_http_code = 400
    exception_class_name = "InvalidParameterException"
    template = (
        "{0} in {1} can't link by {2}: end one {3} is a {4}, not a {5}; end two {6} "
        "is a {7}, not a {8}"
    )
    parameter_names = (
        "operation",
        "repository",
        "type name",
        "guid one",
        "type one",
        "expected type one",
        "guid two",
        "type two",
        "expected type two",
    )
    default_parameter_name = "relationship.End"


# Classifications


class UnknownClassificationError(OMRSError):
    """No classification type of this name is known.

    Parameters: classification, repository. The reporting operation has to be given.
    ``parameterName`` is ``initialClassifications`` for a new entity.
    """

    message_id = "OMRS-REPOSITORY-400-005"
    related_http_code = 400
    exception_class_name = "InvalidParameterException"
    template = "no classification {0} is known in {1}"
    parameter_names = ("classification", "repository")
    default_parameter_name = "classificationName"


class UnknownClassificationTypeError(OMRSError):
    """The type of a classification that an instance carries is not known.

    Parameters: classification, repository. The reporting operation has to be given.
    """

    message_id = "OMRS-REPOSITORY-400-005"
    related_http_code = 400
    exception_class_name = "TypeErrorException"
    template = "no classification {0} is known in {1}"
    parameter_names = ("classification", "repository")


class InvalidClassificationForEntityError(OMRSError):
    """The classification is not for entities of this type.

    Parameters: repository, classification, type name. The reporting operation has to be
    given.
    """

    message_id = "OMRS-REPOSITORY-400-006"
    related_http_code = 400
    exception_class_name = "ClassificationErrorException"
    template = "{0} does not let {1} classify a {2}"
    parameter_names = ("repository", "classification", "type name")


class InvalidClassificationTypeError(OMRSError):
    """A stored entity carries a classification that is not for its type.

    Parameters: repository, classification, type name. The reporting operation has to be
    given.
    """

    message_id = "OMRS-REPOSITORY-400-006"
    related_http_code = 400
    exception_class_name = "TypeErrorException"
    template = "{0} does not let {1} classify a {2}"
    parameter_names = ("repository", "classification", "type name")


class ClassificationNameMissingError(OMRSError):
    """The name of a classification is missing.

    Parameters: parameter, operation, repository.
    """

    message_id = "OMRS-REPOSITORY-400-026"
    related_http_code = 400
    exception_class_name = "InvalidParameterException"
    template = "{1} of {2} needs a classification's name in {0}"
    parameter_names = ("parameter", "operation", "repository")


class EntityNotClassifiedError(OMRSError):
    """The entity does not carry the classification.

    Parameters: operation, repository, classification, guid.
    """

    message_id = "OMRS-REPOSITORY-400-048"
    related_http_code = 400
    exception_class_name = "ClassificationErrorException"
    template = "{0} in {1} found no {2} on {3}"
    parameter_names = ("operation", "repository", "classification", "guid")


class EntityAlreadyClassifiedError(OMRSError):
    """The entity carries the classification with other properties.

    Parameters: operation, repository, classification, guid.
    """

    message_id = "OMRS-REPOSITORY-400-081"
    related_http_code = 400
    exception_class_name = "ClassificationErrorException"
    template = "{0} in {1} found another {2} on {3}"
    parameter_names = ("operation", "repository", "classification", "guid")


class UnsupportedClassificationError(OMRSError):
    """The repository can't keep this classification.

    Parameters: repository, classification. The reporting operation has to be given.
    """

    message_id = "OMRS-REPOSITORY-400-080"
    related_http_code = 400
    exception_class_name = "ClassificationErrorException"
    template = "{0} can't keep classification {1}"
    parameter_names = ("repository", "classification")


# Homes and reference copies


class HomeIdMissingError(OMRSError):
    """An instance names no home.

    Parameters: parameter, operation, repository. Only a program that lacks a field
    sends this; the code is the wire's own.
    """

    message_id = "OMRS-METADATA-COLLECTION-500-004"
    related_http_code = 500
    exception_class_name = "InvalidParameterException"
    template = "{1} of {2} needs a home metadata collection in {0}"
    parameter_names = ("parameter", "operation", "repository")
    system_action = "The request was refused; nothing was changed."
    user_action = "Correct the request and send it again."


class ReferenceInstanceMissingError(OMRSError):
    """The instance of a reference copy request is missing.

    Parameters: repository, operation, parameter.
    """

    message_id = "OMRS-REPOSITORY-400-041"
    related_http_code = 400
    exception_class_name = "InvalidParameterException"
    template = "{0} has no instance for {1} in {2}"
    parameter_names = ("repository", "operation", "parameter")


class HomeEntityError(OMRSError):
    """This repository is the entity's home, which needs no copy.

    Parameters: operation, guid, home id, repository.
    """

    message_id = "OMRS-REPOSITORY-400-063"
    related_http_code = 400
    exception_class_name = "HomeEntityException"
    template = "{0} of entity {1}, whose home is {2}, is not for {3}"
    parameter_names = ("operation", "guid", "home id", "repository")


class HomeRelationshipError(OMRSError):
    """This repository is the relationship's home, which needs no copy.

    Parameters: operation, guid, home id, repository.
    """

    message_id = "OMRS-REPOSITORY-400-063"
    related_http_code = 400
    exception_class_name = "HomeRelationshipException"
    template = "{0} of relationship {1}, whose home is {2}, is not for {3}"
    parameter_names = ("operation", "guid", "home id", "repository")


class NotForLocalCollectionError(OMRSError):
    """A re-home was sent to another member than the new home.

    Parameters: guid, type name, type guid, new home id, local id. The reporting
    operation has to be given.
    """

    message_id = "OMRS-LOCAL-REPOSITORY-400-002"
    related_http_code = 400
    exception_class_name = "InvalidParameterException"
    template = "{0} of type {1} ({2}) can't move to {3} from here, {4}"
    parameter_names = ("guid", "type name", "type guid", "new home id", "local id")
    default_parameter_name = "newHomeMetadataCollectionId"
    user_action = "Send the request to the member that is to be the new home."


class EntityHomeIsLocalError(OMRSError):
    """An entity to re-home is at home here already.

    Parameters: home id, operation, guid, local id, repository.
    """

    message_id = "OMRS-METADATA-COLLECTION-500-016"
    related_http_code = 500
    exception_class_name = "InvalidParameterException"
    template = "{0} is the home of {2} for {1} already, being {3} of {4}"
    parameter_names = ("home id", "operation", "guid", "local id", "repository")
    default_parameter_name = "instance"
    system_action = "The request was refused; nothing was changed."
    user_action = "Nothing needs doing; the instance is where it should be."


class RelationshipHomeIsLocalError(OMRSError):
    """A relationship to re-home is at home here already.

    Parameters: home id, operation, guid, local id, repository.
    """

    message_id = "OMRS-METADATA-COLLECTION-500-017"
    related_http_code = 500
    exception_class_name = "InvalidParameterException"
    template = "{0} is the home of {2} for {1} already, being {3} of {4}"
    parameter_names = ("home id", "operation", "guid", "local id", "repository")
    default_parameter_name = "instance"
    system_action = "The request was refused; nothing was changed."
    user_action = "Nothing needs doing; the instance is where it should be."


class EntityConflictError(OMRSError):
    """A copy has the GUID of another entity, or was written with an older type.

    Parameters: operation, guid, repository. The message id is our own.
    """

    message_id = "EDGENODE-REPOSITORY-400-001"
    related_http_code = 400
    exception_class_name = "EntityConflictException"
    template = "{0} of entity {1} contradicts what {2} has under this GUID"
    parameter_names = ("operation", "guid", "repository")
    user_action = "Find out which of the two is meant, and re-identify the other."


class RelationshipConflictError(OMRSError):
    """A copy has the GUID of another relationship, or was written with an older type.

    Parameters: operation, guid, repository. The message id is our own.
    """

    message_id = "EDGENODE-REPOSITORY-400-001"
    related_http_code = 400
    exception_class_name = "RelationshipConflictException"
    template = "{0} of relationship {1} contradicts what {2} has under this GUID"
    parameter_names = ("operation", "guid", "repository")
    user_action = "Find out which of the two is meant, and re-identify the other."


class GuidInUseError(OMRSError):
    """A new GUID belongs to an instance already.

    Parameters: guid, parameter, operation, repository. The message id is our own.
    """

    message_id = "EDGENODE-REPOSITORY-400-002"
    related_http_code = 400
    exception_class_name = "InvalidParameterException"
    template = "{0}, given as {1} of {2}, is in use in {3}"
    parameter_names = ("guid", "parameter", "operation", "repository")


# The whole cohort


class NoHomeForInstanceError(OMRSError):
    """Nobody answers who may change the instance.

    Parameters: operation, guid, home id.
    """

    message_id = "OMRS-REPOSITORY-400-056"
    related_http_code = 400
    exception_class_name = "RepositoryErrorException"
    template = "{0} needs the home of {1}, and {2} can't be reached"
    parameter_names = ("operation", "guid", "home id")
    system_action = "The request was passed on to nobody, or nobody has confirmed it."
    user_action = "Wait until that member is back, then send the request again."


class RelayedError(OMRSError):
    """A failure that another member reports.

    Parameters: message. ``told`` gives it the member's own message id, Java class, code
    and parameters; the id here is our own, for those that tell none.
    """

    message_id = "EDGENODE-FEDERATION-503-001"
    related_http_code = 503
    exception_class_name = "RepositoryErrorException"
    template = "{0}"
    parameter_names = ("message",)

    @classmethod
    def told(
        cls,
        text: str,
        parameters: Sequence[object],
        definition: Mapping[str, str | int],
        *,
        reporting_operation: str = "",
        parameter_name: str | None = None,
        user_id: str | None = None,
    ) -> "RelayedError":
        """The failure as the member tells it.

        Args:
            text: The message without its id.
            parameters: What the member put into the message.
            definition: What of the error's definition is the member's, by attribute.
            reporting_operation: As of any error.
            parameter_name: As of any error.
            user_id: As of any error.
        """
        error = cls(
            text,
            reporting_operation=reporting_operation,
            parameter_name=parameter_name,
            user_id=user_id,
        )
        error.parameters = tuple(map(str, parameters))
        literal = text.replace("{", "{{").replace("}", "}}")
        vars(error).update(definition, template=literal)
        return error
