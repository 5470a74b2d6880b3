"""Durable storage of types, instances, their history and the outbox."""
