"""Runs on other machines, reached by the user's own ssh."""
