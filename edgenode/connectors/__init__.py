"""Open Connector Framework: connections, as registrations carry them."""
