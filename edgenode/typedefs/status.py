"""The states of an instance, by the wire's symbols."""

from enum import Enum


class InstanceStatus(Enum):
    """An instance's state; a release says which of them it knows."""

    UNKNOWN = 0
    DRAFT = 1
    PREPARED = 2
    PROPOSED = 3
    APPROVED = 4
    REJECTED = 5
    APPROVED_CONCEPT = 6
    UNDER_DEVELOPMENT = 7
    DEVELOPMENT_COMPLETE = 8
    APPROVED_FOR_DEPLOYMENT = 9
    STANDBY = 10
    INVALID = 14
    ACTIVE = 15
    FAILED = 20
    DISABLED = 21
    COMPLETE = 22
    DEPRECATED = 30
    OTHER = 50
    DELETED = 99

    @property
    def display_name(self) -> str:
        """The name that errors show, such as ``Approved Concept``."""
        return self.name.replace("_", " ").title()
