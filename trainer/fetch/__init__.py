"""Datasets, from where they are published to a folder. Knows neither pixels nor torch."""
