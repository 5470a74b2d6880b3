"""The cohort's key, certificates and who is let in."""
