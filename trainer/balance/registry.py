"""Every strategy by its name. What options it takes says trainer/options.py."""

from collections.abc import Callable

from trainer import config
from trainer.balance.annealing import Cyclical, LinearWarmUp
from trainer.balance.beta import FixedBeta
from trainer.balance.free_bits import FreeBits
from trainer.balance.gamma import AverageGamma, ComputedGamma, FixedGamma, LearnedGamma, OptimalGamma
from trainer.balance.geco import Geco
from trainer.balance.rae import RaeGP, RaeL2, RaeSN
from trainer.balance.strategy import Balance, Plan
from trainer.balance.vampprior import VampPrior
from trainer.balance.wae import WaeMMD

STRATEGIES: dict[str, Callable[[config.Balance, Plan], Balance]] = {
    "computed": ComputedGamma,
    "average": AverageGamma,
    "learned": LearnedGamma,
    "fixed": FixedGamma,
    "optimal": OptimalGamma,
    "beta": FixedBeta,
    "linear": LinearWarmUp,
    "cyclical": Cyclical,
    "free-bits": FreeBits,
    "geco": Geco,
    "rae-l2": RaeL2,
    "rae-sn": RaeSN,
    "rae-gp": RaeGP,
    "wae-mmd": WaeMMD,
    "vampprior": VampPrior,
}
"""By balance.name."""


def build_balance(settings: config.Balance, plan: Plan) -> Balance:
    """A fresh strategy for a stage, on the CPU.

    Raises:
        UsageError: the stage is too short for it.
    """
    return STRATEGIES[settings.name](settings, plan)
