"""What a run records of its weights, step by step, by the strategy."""

import numpy as np
import pytest

from trainer.runs import Run
from trainer.training import train
from vaemon import open_run


@pytest.mark.parametrize(
    ("settings", "has_gamma"),
    [
        (("balance=learned",), True),
        (("balance=beta", "balance.beta=0.1"), False),
        (("balance=linear", "balance.gamma=0.3", "balance.warm_up=1.5"), True),
        (("balance=geco", "balance.tolerance=0.05"), False),
    ],
    ids=lambda value: value[0].partition("=")[2] if isinstance(value, tuple) else "",
)
def test_the_weights_in_force_are_recorded_at_every_step_of_both_stages(runs, screen, tiny, settings, has_gamma):
    assert train(Run("a", runs / "a", "shapes", tiny(*settings, "stage1.kl_weight=2"), False), screen, lambda: "")
    with open_run("a", runs) as run:
        for stage, weight in ((1, 2.0), (2, 1.0)):
            assert ("gamma" in run.channels(stage)) is has_gamma
            recorded = {name: run.series(name, stage=stage) for name in ("beta", "kl_weight")}
            assert all(each.step.tolist() == list(range(1, 9)) for each in recorded.values())
            beta, kl_weight = recorded["beta"].mean, recorded["kl_weight"].mean
            warm = "balance=linear" in settings
            share = np.minimum(np.arange(8) / 6, 1) if warm else np.ones(8)
            np.testing.assert_allclose(kl_weight, weight * share, rtol=1e-6)
            if has_gamma:
                gamma = run.series("gamma", stage=stage).mean
                np.testing.assert_allclose(beta, 2 * gamma**2 * kl_weight, rtol=1e-5)
