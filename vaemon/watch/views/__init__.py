"""The nine views: what stands between the head of the screen and its keys."""
