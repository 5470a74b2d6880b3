"""The connections of a cohort's topics on Kafka, as genuine servers describe them."""

from collections.abc import Mapping

from edgenode.connectors.connection import (
    Connection,
    ConnectorType,
    ElementType,
    EmbeddedConnection,
    Endpoint,
    VirtualConnection,
)

_FRAMEWORKS = "org.odpi.openmetadata.frameworks"
_CONNECTORS = "org.odpi.openmetadata.repositoryservices.connectors"
_TOPIC_PROVIDER = f"{_CONNECTORS}.omrstopic.OMRSTopicProvider"
_FRAMEWORK = "Open Connector Framework (OCF)"

# Ids and names are those by which members know these connectors.
_TYPE = ElementType(
    type_id="954421eb-33a6-462d-a8ca-b5709a1bd0d4",
    type_name="ConnectorType",
    type_version=1,
)
_OMRS_TOPIC = ConnectorType(
    type=_TYPE,
    qualified_name=_TOPIC_PROVIDER,
    display_name="OMRS Topic Connector",
    connector_provider_class_name=_TOPIC_PROVIDER,
    connector_framework_name=_FRAMEWORK,
    connector_interface_language="Java",
    connector_interfaces=(
        f"{_FRAMEWORKS}.connectors.SecureConnectorExtension",
        f"{_FRAMEWORKS}.auditlog.AuditLoggingComponent",
        f"{_CONNECTORS}.openmetadatatopic.OpenMetadataTopicListener",
        f"{_FRAMEWORKS}.connectors.VirtualConnectorExtension",
        f"{_CONNECTORS}.omrstopic.OMRSTopic",
    ),
)
_KAFKA_TOPIC = ConnectorType(
    type=_TYPE,
    guid="3851e8d0-e343-400c-82cb-3918fed81da6",
    qualified_name="Egeria:OpenMetadataTopicConnector:Kafka",
    display_name="Apache Kafka Open Metadata Topic Connector",
    supported_asset_type_name="KafkaTopic",
    expected_data_format="PLAINTEXT",
    connector_provider_class_name=(
        "org.odpi.openmetadata.adapters.eventbus.topic.kafka"
        ".KafkaOpenMetadataTopicProvider"
    ),
    connector_framework_name=_FRAMEWORK,
    connector_interface_language="Java",
    connector_interfaces=(
        f"{_FRAMEWORKS}.connectors.Connector",
        f"{_CONNECTORS}.openmetadatatopic.OpenMetadataTopic",
        f"{_FRAMEWORKS}.auditlog.AuditLoggingComponent",
    ),
    recognized_configuration_properties=(
        "producer",
        "consumer",
        "local.server.id",
        "sleepTime",
        "eventDirection",
    ),
)


def topic_connection(
    display_name: str, topic: str, local_server_id: str, client: Mapping[str, str]
) -> VirtualConnection:
    """How a server is connected to a topic of its cohort.

    Args:
        display_name: What the topic is called.
        topic: The topic's name on the bus.
        local_server_id: By which the topic knows the server.
        client: How the brokers are spoken to, in Kafka's own terms; no passwords.
    """
    embedded = Connection(
        display_name="Kafka Event Bus Connection",
        connector_type=_KAFKA_TOPIC,
        endpoint=Endpoint(address=topic),
        configuration_properties={
            "producer": client,
            "local.server.id": local_server_id,
            "consumer": client,
            "eventDirection": "inOut",
        },
    )
    return VirtualConnection(
        display_name=f"Cohort OMRS Topic Connection for {display_name}",
        connector_type=_OMRS_TOPIC,
        embedded_connections=(
            EmbeddedConnection(display_name=display_name, embedded_connection=embedded),
        ),
    )
