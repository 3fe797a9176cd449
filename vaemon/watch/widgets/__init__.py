"""A file a widget: the folder is a picture of the screen."""
