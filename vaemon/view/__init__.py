"""The view model: what a screen shows, as a value, and how answers of a source change it."""
