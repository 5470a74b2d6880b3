"""Open metadata type definitions: what OMRS calls types."""
