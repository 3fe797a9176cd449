"""Generated images on their way out: as files, as one picture, in the terminal. Knows no runs and no torch."""
