"""One metadata collection that is answered by the whole cohort."""
