"""The bodies of answers: an operation's outcome as the wire writes it.

Instances travel as the JSON they are stored in; it is spliced in, never parsed. A body
is a list of pieces, so that a long one can be sent without being joined first.
"""

from collections.abc import Iterator
from dataclasses import is_dataclass
from typing import Any

from edgenode.codec.codec import Codec
from edgenode.codec.json import dumps
from edgenode.errors import OMRSError
from edgenode.instances.document import Document
from edgenode.limits import MAX_KEPT_DEFINITIONS
from edgenode.rest.operations import Fields, Operation
from edgenode.typedefs.attributes import AttributeTypeDef
from edgenode.typedefs.model import TypeDef

Definition = TypeDef | AttributeTypeDef


class Answers:
    """Writes bodies; keeps the texts of type definitions, which are asked for in bulk."""

    def __init__(self) -> None:
        # By identity: a definition that changes is another object.
        self._definitions: dict[int, tuple[Definition, bytes]] = {}

    def success(
        self, codec: Codec, operation: Operation[Any], fields: Fields, body: Any
    ) -> list[bytes]:
        """The body for a payload; ``body`` is the request's, whose paging is echoed."""
        payload = [
            (name, value)
            for name, value in fields.items()
            if value is not None and value != [] and value != ()
        ]
        head: dict[str, Any] = {"class": operation.response, "relatedHTTPCode": 200}
        if operation.paged:
            # History isn't paged on the wire: its answers never echo the request.
            paged = payload and not operation.path.endswith("/history/all")
            head["offset"] = getattr(body, "offset", 0) if paged else 0
            head["pageSize"] = getattr(body, "page_size", 0) if paged else 0
        pieces = [dumps(head)[:-1]]
        for name, value in payload:
            pieces.append(b',"%b":' % name.encode())
            pieces.extend(self._pieces(codec, value))
        pieces.append(b"}")
        return pieces

    def _pieces(self, codec: Codec, value: Any) -> Iterator[bytes]:
        if not isinstance(value, list | tuple):
            yield self._text(codec, value)
            return
        before = b"["
        for item in value:
            yield before
            yield self._text(codec, item)
            before = b","
        yield b"]"

    def _text(self, codec: Codec, value: Any) -> bytes:
        if isinstance(value, Document):
            return value.json
        if isinstance(value, TypeDef | AttributeTypeDef):
            return self._definition(codec, value)
        return dumps(codec.to_object(value) if is_dataclass(value) else value)

    def _definition(self, codec: Codec, definition: Definition) -> bytes:
        kept = self._definitions.get(id(definition))
        if kept is not None:
            return kept[1]
        if len(self._definitions) >= MAX_KEPT_DEFINITIONS:
            self._definitions.clear()
        text = codec.encode(definition)
        self._definitions[id(definition)] = (definition, text)
        return text


def failure(operation: Operation[Any], error: OMRSError) -> bytes:
    """The body for an error."""
    answer: dict[str, Any] = {
        "class": operation.response,
        "relatedHTTPCode": error.related_http_code,
    }
    if error.reporting_operation:
        answer["actionDescription"] = error.reporting_operation
    answer["exceptionClassName"] = error.java_class
    if error.caused_by:
        answer["exceptionCausedBy"] = error.caused_by
    answer["exceptionErrorMessage"] = error.message
    answer["exceptionErrorMessageId"] = error.message_id
    if error.parameters:
        answer["exceptionErrorMessageParameters"] = list(error.parameters)
    answer["exceptionSystemAction"] = error.system_action
    answer["exceptionUserAction"] = error.user_action
    if error.properties:
        answer["exceptionProperties"] = dict(error.properties)
    if operation.paged:
        answer |= {"offset": 0, "pageSize": 0}
    if operation.response == "BooleanResponse":
        answer["flag"] = False
    return dumps(answer)
