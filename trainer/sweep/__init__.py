"""Many trainings of one preset: every combination of settings, with several seeds each."""
