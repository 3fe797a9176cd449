"""What things on the screen are called. Imports nothing, for it is needed before the first frame."""

VIEW_NAMES = {
    1: "wall",
    2: "trajectories",
    3: "balance",
    4: "one latent",
    5: "events",
    6: "samples",
    7: "evaluations",
    8: "compare",
    9: "runs",
}
"""The views, by the keys that pick them."""
HOME, BALANCE, LATENT, COMPARE, RUNS = 1, 3, 4, 8, 9
"""Those that are gone to by name."""

PANELS = ("latents", "gamma", "MSE", "KL", "variance law", "events")
"""The panels of the first view: at the left the first, below each other at the right the others."""
