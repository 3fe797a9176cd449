"""`vaemon fid`: how far two sets of images are apart, and by which recipe."""
