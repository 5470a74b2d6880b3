"""What a change tells the cohort."""
