"""The version of vaemon, said once."""

__version__ = "0.1.0"
