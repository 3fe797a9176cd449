"""The terminal dashboard; the only room that imports textual. Does not know where a run lives."""
