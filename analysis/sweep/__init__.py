"""A sweep's members, each analyzed as any run is, and mean and deviation over the seeds of each setting."""
