"""Connections of the Open Connector Framework: how to reach another member."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ElementType:
    """The type of a framework bean."""

    type_id: str | None = None
    type_name: str | None = None
    super_type_names: tuple[str, ...] | None = None
    type_version: int = 0
    type_description: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Referenceable:
    """What all framework beans have, but for the history of an element in a catalogue."""

    header_version: int = 0
    type: ElementType | None = None
    guid: str | None = None
    url: str | None = None
    extended_properties: Mapping[str, object] | None = None
    qualified_name: str | None = None
    additional_properties: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectorType(Referenceable):
    """Which connector makes use of a connection."""

    display_name: str | None = None
    description: str | None = None
    supported_asset_type_name: str | None = None
    expected_data_format: str | None = None
    connector_provider_class_name: str | None = None
    connector_framework_name: str | None = None
    connector_interface_language: str | None = None
    connector_interfaces: tuple[str, ...] | None = None
    target_technology_source: str | None = None
    target_technology_name: str | None = None
    target_technology_interfaces: tuple[str, ...] | None = None
    target_technology_versions: tuple[str, ...] | None = None
    recognized_additional_properties: tuple[str, ...] | None = None
    recognized_configuration_properties: tuple[str, ...] | None = None
    recognized_secured_properties: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint(Referenceable):
    """Where a connection leads."""

    display_name: str | None = None
    description: str | None = None
    address: str | None = None
    protocol: str | None = None
    encryption_method: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection(Referenceable):
    """How to reach something, by a connector of some type at an endpoint."""

    display_name: str | None = None
    description: str | None = None
    connector_type: ConnectorType | None = None
    endpoint: Endpoint | None = None
    user_id: str | None = None
    encrypted_password: str | None = None
    clear_password: str | None = None
    configuration_properties: Mapping[str, object] | None = None
    secured_properties: Mapping[str, str] | None = None
    asset_summary: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddedConnection:
    """A connection inside a virtual one."""

    header_version: int = 0
    position: int = 0
    display_name: str | None = None
    arguments: Mapping[str, object] | None = None
    embedded_connection: Connection | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class VirtualConnection(Connection):
    """A connection made of others."""

    embedded_connections: tuple[EmbeddedConnection, ...] | None = None
