"""The metadata collection: OMRS operations on one repository."""
