"""The connection by which members of a cohort reach each other's repositories."""

from urllib.parse import urlsplit

from edgenode.connectors.connection import (
    Connection,
    ConnectorType,
    ElementType,
    Endpoint,
)

_ADAPTERS = "org.odpi.openmetadata.adapters.repositoryservices"
_FRAMEWORKS = "org.odpi.openmetadata.frameworks"
_STORES = "org.odpi.openmetadata.repositoryservices.connectors.stores"

# A genuine member makes an object of the provider's class to reach us, so it is the
# genuine one; ids and names are those by which members know this connector.
_CONNECTOR_TYPE = ConnectorType(
    type=ElementType(
        type_id="954421eb-33a6-462d-a8ca-b5709a1bd0d4",
        type_name="ConnectorType",
        type_version=1,
    ),
    guid="75ea56d1-656c-43fb-bc0c-9d35c5553b9e",
    qualified_name="Egeria:OMRSRepositoryConnector:CohortMemberClient:REST",
    display_name="REST Cohort Member Client Connector",
    connector_provider_class_name=(
        f"{_ADAPTERS}.rest.repositoryconnector.OMRSRESTRepositoryConnectorProvider"
    ),
    connector_framework_name="Open Connector Framework (OCF)",
    connector_interface_language="Java",
    connector_interfaces=(
        f"{_FRAMEWORKS}.connectors.SecureConnectorExtension",
        f"{_FRAMEWORKS}.auditlog.AuditLoggingComponent",
        f"{_STORES}.metadatacollectionstore.repositoryconnector.OMRSMetadataCollectionManager",
    ),
)


def remote_connection(
    address: str, user_id: str | None = None, clear_password: str | None = None
) -> Connection:
    """How others reach a server's repository.

    Args:
        address: The platform's root, ``/servers/`` and the server's name.
        user_id: Who they log in as, by basic authentication; None where they don't.
        clear_password: The password for that.
    """
    return Connection(
        display_name="Local Repository Remote Connection",
        connector_type=_CONNECTOR_TYPE,
        endpoint=Endpoint(address=address),
        user_id=user_id,
        clear_password=clear_password,
    )


def server_at(connection: Connection | None) -> str:
    """What a connection calls the server: what stands in its address behind ``/servers/``.

    It is as it stands there, percent-encoded; empty where there is none.
    """
    endpoint = None if connection is None else connection.endpoint
    address = None if endpoint is None else endpoint.address
    try:
        path = urlsplit(address or "").path
    except ValueError:
        return ""
    _, servers, name = path.rpartition("/servers/")
    return name if servers and "/" not in name else ""
