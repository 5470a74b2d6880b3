"""The REST API: tables of operations, and one adapter that speaks HTTP."""
