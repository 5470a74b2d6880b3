"""Bytes to model and back; wire quirks stop here."""
