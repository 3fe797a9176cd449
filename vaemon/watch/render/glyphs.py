"""The signs of the latents' states on the screen."""

from vaemon.latents import LatentState

STATE = {
    LatentState.ACTIVE: "●",
    LatentState.WAKING: "◐",
    LatentState.LIMBO: "○",
    LatentState.COLLAPSED: "·",
}
