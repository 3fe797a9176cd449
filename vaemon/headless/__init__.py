"""A run without a screen: as text, as JSON, update after update. Knows no terminal and no textual."""
