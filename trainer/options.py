"""Which options each balancing strategy takes and needs, and what else goes together with it. Knows no torch."""

from collections.abc import Iterable

import msgspec

from trainer.config import Balance, Config
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
}
"""By balance.name."""

NEEDED = {
    "gamma_squared": "balance.gamma=0.2, or balance.gamma_squared=0.04",
    "beta": "balance.beta=0.1, the weight of KL against the squared error of a sample",
    "warm_up": "balance.warm_up=5, the epochs until KL has its whole weight",
    "floor": "balance.floor=0.1, the nats that each latent has for nothing",
    "tolerance": "balance.tolerance=0.01, the mse to be reached",
}
"""Options that nobody can choose but the user, and how they are given."""


DETERMINISTIC = ("rae-l2", "rae-sn", "rae-gp")
"""Those without a posterior: no KL, no prior, no second stage."""


def refuse_foreign(balance: Balance, touched: Iterable[str]) -> None:
    """Refuse options that were set for another strategy.

    Args:
        balance: the section.
        touched: dotted keys that were set.

    Raises:
        UsageError: the strategy takes no such option; those that do are named.
    """
    for key in touched:
        if balance.name in DETERMINISTIC and key in ("stage1.kl_weight", "stage2.kl_weight"):
            raise UsageError(
                f"balance={balance.name} has no KL for {key} to weigh; balance.code_weight weighs its codes"
            )
        section, _, option = key.partition(".")
        if section == "balance" and option != "name" and option not in TAKES[balance.name]:
            takers = [name for name, options in TAKES.items() if option in options]
            raise UsageError(
                f"balance={balance.name} takes no {key}; add --set balance={takers[0]}"
                + (f" (or {', '.join(takers[1:])})" if takers[1:] else "")
            )


def check_options(config: Config) -> None:
    """Refuse a balance that lacks an option, or does not go with the stages.

    Raises:
        UsageError: the key is named.
    """
    balance = config.balance
    for option in TAKES[balance.name]:
        if option in NEEDED and not msgspec.structs.asdict(balance)[option]:
            raise UsageError(f"balance={balance.name} needs its {option}: --set {NEEDED[option]}")
    if balance.name in DETERMINISTIC and config.stage2.enabled:
        raise UsageError(
            f"balance={balance.name} has no second stage, for its samples come from a density fitted to its codes; "
            "--set stage2.enabled=false"
        )
    epochs = {"stage1": config.stage1.epochs, **({"stage2": config.stage2.epochs} if config.stage2.enabled else {})}
    stage = min(epochs, key=epochs.__getitem__)
    if balance.name == "linear" and balance.warm_up > epochs[stage]:
        raise UsageError(
            f"balance.warm_up={balance.warm_up:g} epochs are more than {stage}.epochs={epochs[stage]}, so that KL would "
            f"never have its whole weight; --set balance.warm_up={epochs[stage]} or less, for it is that of each stage"
        )
