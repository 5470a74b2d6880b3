"""Platform services: what runs here."""

from edgenode.codec.beans import iso_time
from edgenode.errors import UnknownServerError
from edgenode.rest.operations import Fields, Operation, PlatformCall

_SERVICES = (
    {
        "serviceId": 180,
        "serviceName": "Open Metadata Repository Services (OMRS)",
        "serviceDevelopmentStatus": "STABLE",
        "serviceURLMarker": "repository-services",
        "serviceDescription": "Stores metadata and exchanges it with other servers",
    },
    {
        "serviceId": 185,
        "serviceName": "Platform Services",
        "serviceDevelopmentStatus": "STABLE",
        "serviceURLMarker": "platform-services",
        "serviceDescription": "Tells which servers and services run in a process",
    },
)


def get_origin(call: PlatformCall) -> Fields:
    return {"origin": call.platform.origin}


def get_servers(call: PlatformCall) -> Fields:
    return {"serverList": sorted(call.platform.servers)}


def get_server_status(call: PlatformCall) -> Fields:
    name = call.path["serverName"]
    server = call.platform.servers.get(name)
    if server is None:
        raise UnknownServerError(
            name,
            call.user_id,
            reporting_operation="getServerStatus",
            parameter_name="serverName",
        )
    return {
        "serverName": name,
        "serverType": server.server_type,
        "serverStartTime": iso_time(server.started_at),
        "active": True,
    }


def get_registered_services(call: PlatformCall) -> Fields:
    return {"services": list(_SERVICES)}


OPERATIONS = (
    Operation("GET", "/origin", "getServerPlatformOrigin", get_origin, ""),
    Operation("GET", "/servers", "getKnownServers",
              get_servers, "ServerListResponse"),
    Operation("GET", "/servers/active", "getActiveServers",
              get_servers, "ServerListResponse"),
    Operation("GET", "/servers/{serverName}/status", "getServerStatus",
              get_server_status, "ServerStatusResponse"),
    Operation("GET", "/registered-services", "getRegisteredServices",
              get_registered_services, "RegisteredOMAGServicesResponse"),
)  # fmt: skip
