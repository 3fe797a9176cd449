"""Datasets, as uint8 images in memory."""
