"""Every channel a run records: name, symbol, unit, shape, sentence.

A new channel is one line here and one line in trainer/statistics.py. Names that are not listed are
allowed too: they are recorded as scalars of the user's own, see `channel`.

The weights of a loss are told in one convention, however it was written. With the squared error SE of a sample summed
over its values, and KL in nats summed over the latents, `beta` is b / a of a loss a SE + b KL: the weight of KL where
that of the squared error is 1. So SE/(2γ²) + kl_weight KL has beta = 2 γ² kl_weight. `kl_weight` is b itself: what a
schedule makes of it, step by step. `gamma` is recorded where the loss has one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["scalar", "latent"]


@dataclass(frozen=True, slots=True)
class Channel:
    """One recorded series."""

    name: str
    symbol: str
    unit: str
    kind: Kind
    """"scalar": one number a row. "latent": one number per latent variable a row."""
    dtype: str
    """How a value is stored, as a NumPy dtype; float32 carries the seven digits that a batch mean has."""
    sentence: str


_LISTED = (
    Channel("step", "t", "batches", "scalar", "<i8", "Batches trained in this stage, counted from 1."),
    Channel("time", "", "s", "scalar", "<f8", "Wall time of the row, seconds since 1970 (UTC)."),
    Channel("epoch", "e", "epochs", "scalar", "<i4", "Passes over the training data begun before this one."),
    Channel("lr", "η", "", "scalar", "<f4", "Learning rate of the step."),
    Channel("loss", "L", "nats", "scalar", "<f4", "The minimised objective, mean over the batch."),
    Channel("gamma", "γ", "", "scalar", "<f4", "Weight in force: the loss has mse/(2γ²) + KL."),
    Channel("beta", "β", "", "scalar", "<f4", "Weight of KL if the squared error, summed over values, weighs 1."),
    Channel("kl_weight", "w", "", "scalar", "<f4", "Weight of KL in force in the loss as it is minimised."),
    Channel("mse", "MSE", "", "scalar", "<f4", "Squared error, mean over the batch and over the values."),
    Channel("kl", "KL", "nats", "scalar", "<f4", "KL(q(z|x) || N(0, I)), summed over latents, batch mean."),
    Channel("variance_law", "VL", "", "scalar", "<f4", "Mean over latents of E[mu²] + E[σ²]; the prior asks 1."),
    Channel("dropped", "", "rows", "scalar", "<f8", "Rows lost so far: a full buffer, values that made no row."),
    Channel("mean_variance", "E[σ²]", "", "latent", "<f4", "Mean posterior variance: 0 active, 1 collapsed."),
    Channel("mean_mu", "E[μ]", "", "latent", "<f4", "Batch mean of the posterior mean; the prior asks 0."),
    Channel("mu_squared", "E[μ²]", "", "latent", "<f4", "Batch mean of the squared posterior mean."),
    Channel("latent_kl", "KLᵢ", "nats", "latent", "<f4", "KL of one latent's posterior to N(0, 1), batch mean."),
    Channel("posterior_variance", "E[σ²]", "", "latent", "<f4", "E[σ²] where no prior N(0, 1) judges it (VampPrior)."),
    Channel("mixture_kl", "KL", "nats", "scalar", "<f4", "KL(q(z|x) || p(z)), p a mixture, by one sample, batch mean."),
)

CHANNELS: dict[str, Channel] = {each.name: each for each in _LISTED}

POSTERIOR = ("mean_variance", "mean_mu", "mu_squared", "latent_kl")
"""The channels that a posterior (mean, variance) is reduced to."""

OF_LATENTS = tuple(name for name, each in CHANNELS.items() if each.kind == "latent")
"""The channels listed that have a number a latent."""

DROPPED = "dropped"
"""Kept by the recorder itself, at the steps at which it grew."""

CLOCKS = ("step", "time", "epoch")
"""The channels that say when a row was made; every row has them."""


UNDEFINED = "not_defined"
"""Key of a run's config: what has no meaning for its kind of model, as {"RAE": ["kl", "mean_variance", …]}."""


def undefined_as(kind: str, names: Sequence[str]) -> dict[str, dict[str, list[str]]]:
    """What a training says in its config of the channels and figures that its kind of model does not have."""
    return {UNDEFINED: {kind: list(names)}} if names else {}


def not_defined(config: Mapping[str, Any], name: str) -> str:
    """Where the channel or figure has no meaning in a run of that config: "not defined for RAE"; else empty."""
    told = config.get(UNDEFINED)
    for kind, names in told.items() if isinstance(told, Mapping) else ():
        if isinstance(names, list | tuple) and name in names:
            return f"not defined for {kind}"
    return ""


def channel(name: str, kind: Kind = "scalar") -> Channel:
    """The listed channel of that name, or a channel of the user's own.

    A scalar of the user's own is kept in float64, for vaemon cannot know its magnitude (a token count
    of 10⁹ would lose its last digits in float32).
    """
    listed = CHANNELS.get(name)
    if listed is not None:
        return listed
    return Channel(name, name, "", kind, "<f8" if kind == "scalar" else "<f4", "Recorded by the training loop.")
