"""The cohort: who is in it, what they tell each other, what is missing."""
