"""The two-stage VAE with computed gamma and its baselines, in PyTorch."""
