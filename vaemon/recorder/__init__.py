"""The write side: from a training loop to the run file, without disturbing the loop."""
