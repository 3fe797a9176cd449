"""What a run says afterwards: which latents are used, how its images compare with real ones, the paper's tables."""
