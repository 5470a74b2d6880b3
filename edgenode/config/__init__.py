"""What an operator decides: one TOML file, then environment variables, checked once.

Every setting has a default that is safe on a machine nobody prepared. A mistake is
reported with the line it stands on and what to write instead.
"""

from edgenode.config.model import (
    DEFAULT_HOST,
    DEFAULT_PORT,
    ENVIRONMENT,
    SERVERS,
    SETTINGS,
    CohortConfig,
    ConfigError,
    EventRule,
    HostPort,
    KafkaCohortConfig,
    Mistake,
    NodeConfig,
    ServerConfig,
    SharedBroker,
)
from edgenode.config.reader import (
    default_data_directory,
    default_server_name,
    load_config,
)

__all__ = [
    "DEFAULT_HOST",
    "DEFAULT_PORT",
    "ENVIRONMENT",
    "SERVERS",
    "SETTINGS",
    "CohortConfig",
    "ConfigError",
    "EventRule",
    "HostPort",
    "KafkaCohortConfig",
    "Mistake",
    "NodeConfig",
    "ServerConfig",
    "SharedBroker",
    "default_data_directory",
    "default_server_name",
    "load_config",
]
