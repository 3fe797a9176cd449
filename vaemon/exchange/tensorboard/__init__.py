"""Runs as TensorBoard's event files, and TensorBoard's event files as runs."""
