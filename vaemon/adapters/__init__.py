"""Trainings that others drive: the encoder hook, and one thin file for each library's training loop.

Each file imports its library, and is imported by nobody but who uses that.
"""
