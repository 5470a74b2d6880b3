"""The bodies of answers: an operation's outcome as the wire writes it.

Instances travel as the JSON they are stored in; it is spliced in, never parsed. A body
is a list of pieces, so that a long one can be sent without being joined first.
"""

from collections.abc import Iterator
from dataclasses import is_dataclass
from typing import Any
from urllib.parse import quote

from edgenode.codec.codec import Codec
from edgenode.codec.headers import header_of
from edgenode.codec.json import dumps
from edgenode.codec.packed import PACKED_TYPE, PackedDocument, pack_documents
from edgenode.collection.participation import Participation
from edgenode.errors import OMRSError
from edgenode.instances.document import Document
from edgenode.limits import (
    ANSWER_PIECE_BYTES,
    MAX_KEPT_DEFINITIONS,
    MAX_MISSING_HEADER_BYTES,
    MAX_REASON_LENGTH,
)
from edgenode.rest.operations import Fields, Operation
from edgenode.typedefs.attributes import AttributeTypeDef
from edgenode.typedefs.model import TypeDef

_NOTE = "edgenode"
"""The field of answers that is our own."""

_PACKED = frozenset({"EntityListResponse", "RelationshipListResponse"})

Definition = TypeDef | AttributeTypeDef


class Answers:
    """Writes bodies; keeps the texts of type definitions, which are asked for in bulk."""

    def __init__(self) -> None:
        # By identity: a definition that changes is another object.
        self._definitions: dict[int, tuple[Definition, bytes]] = {}

    def success(
        self,
        codec: Codec,
        operation: Operation[Any],
        fields: Fields,
        body: Any,
        cohort: Participation,
    ) -> list[bytes]:
        """The body for a payload.

        Args:
            codec: The server's.
            operation: What was called.
            fields: The payload.
            body: The request's, whose paging is echoed.
            cohort: Who took part.
        """
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
        note = _note(cohort)
        if note:
            pieces.append(b',"%b":%b' % (_NOTE.encode(), dumps(note)))
        pieces.append(b"}")
        return pieces

    def packed(
        self, operation: Operation[Any], fields: Fields, accept: str
    ) -> list[bytes] | None:
        """The body for another member, which merges it with those of others.

        It holds the instances alone, each with what is needed to merge it undecoded.

        Args:
            operation: What was called.
            fields: The payload.
            accept: The media types that the caller takes.

        Returns:
            None where the answer is no list of instances, or not wanted like this.
        """
        if PACKED_TYPE not in accept or operation.response not in _PACKED:
            return None
        (instances,) = fields.values()
        body = pack_documents(map(_packed, instances))
        starts = range(0, len(body), ANSWER_PIECE_BYTES)
        return [body[start : start + ANSWER_PIECE_BYTES] for start in starts]

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


def _packed(document: Document[Any]) -> PackedDocument:
    header = header_of(document)
    return PackedDocument(header.guid, header.version, header.owner, document.json)


def missing_members(cohort: Participation) -> dict[str, str]:
    """The header that says who didn't take part, if anybody did not."""
    if cohort.is_complete:
        return {}
    named: list[str] = []
    room = MAX_MISSING_HEADER_BYTES
    for collection_id in cohort.missing:
        name = quote(collection_id[:MAX_MISSING_HEADER_BYTES])
        room -= len(name) + len(", ")
        if room < 0:
            named.append(f"... ({len(cohort.missing) - len(named)} more)")
            break
        named.append(name)
    return {"Edgenode-Missing-Members": ", ".join(named)}


def _note(cohort: Participation) -> dict[str, Any]:
    """What an answer of the cohort lacks; Egeria's clients pass over the field."""
    note: dict[str, Any] = {}
    if cohort.alone:
        note["alone"] = cohort.alone
    if cohort.missing:
        note["missingMembers"] = [
            {"metadataCollectionId": member, "reason": reason[:MAX_REASON_LENGTH]}
            for member, reason in cohort.missing.items()
        ]
    if cohort.copies:
        note["copies"] = [
            {"guid": guid, "metadataCollectionId": home}
            for guid, home in cohort.copies.items()
        ]
    return note


def failure(
    operation: Operation[Any], error: OMRSError, cohort: Participation
) -> bytes:
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
    note = _note(cohort)
    if note:
        answer[_NOTE] = note
    return dumps(answer)
