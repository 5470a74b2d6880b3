"""What operators and auditors can see: logs, audit records, metrics, health."""
