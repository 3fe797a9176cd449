"""Which options each balancing strategy and network takes, and what else goes together with them. Knows no torch."""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from trainer.config import Config, Stage2, Tree
from vaemon.errors import UsageError

TAKES: dict[str, tuple[str, ...]] = {
    "computed": ("momentum",),
    "average": ("momentum",),
    "learned": (),
    "fixed": ("gamma_squared",),
    "optimal": (),
    "beta": ("beta",),
    "linear": ("gamma_squared", "warm_up"),
    "cyclical": ("gamma_squared", "cycles", "rise"),
    "free-bits": ("gamma_squared", "floor"),
    "geco": ("tolerance", "momentum", "rate"),
    "rae-l2": ("code_weight", "decoder_weight"),
    "rae-sn": ("code_weight",),
    "rae-gp": ("code_weight", "decoder_weight"),
    "wae-mmd": ("divergence_weight",),
    "vampprior": ("gamma_squared", "pseudo_inputs", "pseudo_mean", "pseudo_deviation"),
}
"""By balance.name."""

BUILT_BY: dict[str, tuple[str, ...]] = {
    "resnet": (
        *("latents", "base_dim", "fc_dim", "num_scale", "block_per_scale", "depth_per_block"),
        *("l2_down", "l2_up", "l2_scale"),
    ),
    "infogan": ("latents", "conv_dim", "l2_down", "l2_up"),
    "wae": ("latents", "conv_dim", "l2_down", "l2_up"),
    "dense": ("latents", "hidden"),
}
"""By network.name."""

CHOICES = {"balance": TAKES, "network": BUILT_BY}
"""The sections of which a name decides what else in them is read."""

NEEDED = {
    "gamma_squared": "balance.gamma=0.2, or balance.gamma_squared=0.04",
    "beta": "balance.beta=0.1, the weight of KL against the squared error of a sample",
    "warm_up": "balance.warm_up=5, the epochs until KL has its whole weight",
    "floor": "balance.floor=0.1, the nats that each latent has for nothing",
    "tolerance": "balance.tolerance=0.01, the mse to be reached",
}
"""Options that nobody can choose but the user, and how they are given."""


WITHOUT_PRIOR = ("rae-l2", "rae-sn", "rae-gp")
"""Those whose samples come from a density that is fitted to the codes."""
DETERMINISTIC = (*WITHOUT_PRIOR, "wae-mmd")
"""Those without a posterior: no KL."""
LEARNED_PRIOR = ("vampprior",)
"""Those whose prior is trained with the network, and is no N(0, I)."""
SINGLE_STAGE = (*DETERMINISTIC, *LEARNED_PRIOR)
"""Those without a second stage."""

BRINGS: dict[str, Tree] = {
    "geco": {"balance.momentum": 0.9},
    "rae-l2": {"stage2.enabled": False, "balance.code_weight": 0.05, "balance.decoder_weight": 3e-3},
    "rae-sn": {"stage2.enabled": False, "balance.code_weight": 1.4},
    "rae-gp": {"stage2.enabled": False, "balance.code_weight": 0.05, "balance.decoder_weight": 1e-3},
    "wae-mmd": {"stage2.enabled": False},
    "vampprior": {"stage2.enabled": False},
}
"""What else choosing a strategy sets; why so, in trainer/balance/."""


def with_company(values: Mapping[str, Any]) -> Tree:
    """Values of one origin by dotted key, and what their choice of a strategy brings where they say nothing else."""
    return {**BRINGS.get(str(values.get("balance.name")), {}), **values}


def refuse_foreign(config: Config, touched: Iterable[str]) -> None:
    """Refuse options that were set for another strategy or network.

    Args:
        config: in which they are set.
        touched: dotted keys that were set.

    Raises:
        UsageError: the one chosen takes no such option; those that do are named.
    """
    idle = without_effect(config)
    for key in touched:
        section, _, option = key.partition(".")
        if key in idle and section in CHOICES:
            takers = [name for name, options in CHOICES[section].items() if option in options]
            raise UsageError(
                f"{idle[key]} takes no {key}; add --set {section}={takers[0]}"
                + (f" (or {', '.join(takers[1:])})" if takers[1:] else "")
            )
        if config.balance.name in DETERMINISTIC and option == "kl_weight":
            weighs = f"balance.{TAKES[config.balance.name][0]} weighs its codes"
            raise UsageError(f"{idle[key]} has no KL for {key} to weigh; {weighs}")


def without_effect(config: Config) -> dict[str, str]:
    """The dotted keys that nothing reads under this config, each with the setting that makes it so."""
    idle: dict[str, str] = {}
    for section, takes in CHOICES.items():
        options = msgspec.structs.asdict(getattr(config, section))
        chosen = options.pop("name")
        idle |= {f"{section}.{each}": f"{section}={chosen}" for each in options if each not in takes[chosen]}
    if not config.stage2.enabled:
        idle |= {f"stage2.{each}": "stage2.enabled=false" for each in Stage2.__struct_fields__ if each != "enabled"}
    if config.balance.name in DETERMINISTIC:
        idle |= dict.fromkeys(("stage1.kl_weight", "stage2.kl_weight"), f"balance={config.balance.name}")
    return idle


def check_options(config: Config) -> None:
    """Refuse a balance that lacks an option, or does not go with the stages.

    Raises:
        UsageError: the key is named.
    """
    balance = config.balance
    given = msgspec.structs.asdict(balance)
    lacking = [option for option in TAKES[balance.name] if option in NEEDED and not given[option]]
    if lacking:
        told = "; and ".join(f"its {option}: --set {NEEDED[option]}" for option in lacking)
        raise UsageError(f"balance={balance.name} needs {told}")
    if balance.name in DETERMINISTIC and config.stage2.enabled:
        raise UsageError(
            f"balance={balance.name} has no second stage, for that is trained on samples of posteriors, and its codes "
            "have none; --set stage2.enabled=false"
        )
    if balance.name in LEARNED_PRIOR and config.stage2.enabled:
        raise UsageError(
            f"balance={balance.name} has no second stage: its prior is trained to be what the codes of all images are, "
            "which is what a second stage learns; --set stage2.enabled=false"
        )
    if balance.name == "wae-mmd" and config.stage1.batch < 2:
        raise UsageError("balance=wae-mmd compares the codes of a batch with each other; --set stage1.batch=2 or more")
    epochs = {"stage1": config.stage1.epochs, **({"stage2": config.stage2.epochs} if config.stage2.enabled else {})}
    stage = min(epochs, key=epochs.__getitem__)
    if balance.name == "linear" and balance.warm_up > epochs[stage]:
        raise UsageError(
            f"balance.warm_up={balance.warm_up:g} epochs are more than {stage}.epochs={epochs[stage]}, so that KL "
            f"would never have its whole weight; --set balance.warm_up={epochs[stage]} or less"
        )
