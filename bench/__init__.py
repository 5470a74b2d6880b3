"""Measurements: one script a question, each printing its answer as JSON."""
