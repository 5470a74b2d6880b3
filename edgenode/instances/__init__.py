"""Open metadata instances and the pure rules about them."""
