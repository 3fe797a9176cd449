"""One equation, one function, one citation; pure numpy."""
