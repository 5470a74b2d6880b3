"""Members of a cohort over Kafka: the protocol of genuine Egeria servers."""
