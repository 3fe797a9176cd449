"""What things on the screen are called, and how long words stay. Imports nothing: needed before the first frame."""

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
HOME, TRAJECTORIES, BALANCE, LATENT, EVENTS, COMPARE, RUNS = 1, 2, 3, 4, 5, 8, 9
"""Those that are told by name."""

PANELS = ("latents", "gamma", "MSE", "KL", "variance law", "events")
"""The panels of the first view: at the left the first, below each other at the right the others."""

SHORTLY, FOR_A_WHILE = 4.0, 10.0
"""Seconds that a remark stays at the bottom, and that something stays which happened by itself."""
