"""The read side: where one run is read from. Whoever asks does not learn whether it is local."""
