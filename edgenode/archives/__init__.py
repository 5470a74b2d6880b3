"""Open metadata archives: files of types and instances, read, loaded and written."""
