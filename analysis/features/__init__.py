"""Images to the features that their distributions are compared by. Knows torch and the trainer's readers of images."""
