"""Finding nodes on the local network."""
