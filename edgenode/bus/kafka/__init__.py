"""Kafka's protocol, as a member of a cohort needs it; by aiokafka."""
