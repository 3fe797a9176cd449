"""What goes over a wire between a screen and the machine where a run lies: questions one way, answers the other."""
