"""Images of a trained run, in blocks: reconstructions, samples of either stage, interpolations, traversals.

Nothing depends on the cut into blocks or the device but for rounding: all noise is drawn by NumPy under a seed, and the
first m of n samples are those that asking for m would give. Importing anything here but the package imports torch.
"""
