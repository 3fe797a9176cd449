"""Whole screens: a run, the help."""
