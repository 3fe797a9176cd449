"""Strategies in a stage: trained with it, saved with it, refused where they do not fit."""

import pytest
import torch

from trainer.loop import train_batch
from trainer.stages import check_balance, latent_stage
from vaemon.errors import UsageError

STRATEGIES = {
    "computed": (),
    "average": (),
    "learned": (),
    "fixed": ("balance.gamma=0.3",),
    "optimal": (),
    "beta": ("balance.beta=0.1",),
    "linear": ("balance.gamma=0.3", "balance.warm_up=1.5"),
    "cyclical": ("balance.gamma=0.3",),
    "free-bits": ("balance.gamma=0.3", "balance.floor=0.1"),
    "geco": ("balance.tolerance=0.05",),
}
EVERY = pytest.mark.parametrize("name", STRATEGIES)


def settings(name):
    return (f"balance={name}", *STRATEGIES[name])


def trained(stage, steps):
    rows = []
    for _ in range(steps):
        batches = stage.shuffle()
        rows.append(train_batch(stage, batches[stage.step % stage.steps_per_epoch]))
        stage.step += 1
    return rows


def same(one, other):
    return one.keys() == other.keys() and all(
        torch.equal(torch.as_tensor(one[k]), torch.as_tensor(other[k])) for k in one
    )


@EVERY
def test_a_stage_saved_and_resumed_trains_on_bit_for_bit(tiny_stage, name):
    straight = tiny_stage(*settings(name))
    rows = trained(straight, 7)
    halted = tiny_stage(*settings(name))
    trained(halted, 3)
    resumed = tiny_stage(*settings(name))
    resumed.load_state_dict(halted.state_dict())
    assert all(same(one, other) for one, other in zip(trained(resumed, 4), rows[3:], strict=True))
    assert same(resumed.balance.state_dict(), straight.balance.state_dict())


@EVERY
def test_nothing_of_a_strategy_waits_for_the_device(tiny_stage, name, nothing_waits):
    stage = tiny_stage(*settings(name))
    rows = stage.shuffle()[0]
    train_batch(stage, rows)
    with nothing_waits():
        train_batch(stage, rows)


def test_a_learned_gamma_is_trained_by_the_stages_adam_and_recorded_as_it_was(tiny_stage):
    stage = tiny_stage("balance=learned", "stage1.lr=0.01")
    first, second = trained(stage, 2)
    # The first step of Adam is lr long, downwards: mse < γ² = 1.
    assert float(first["gamma"]) == 1.0
    assert float(second["gamma"]) == pytest.approx(torch.tensor(-0.01).exp().item(), rel=1e-5)


def test_each_stage_learns_a_gamma_of_its_own(tiny, tiny_stage):
    first = tiny_stage("balance=learned")
    second = latent_stage(tiny("balance=learned"), torch.zeros(40, 3), torch.zeros(40, 3), (8, 8, 3))
    trained(first, 3)
    assert second.balance.log_gamma.item() == 0.0
    assert first.balance.log_gamma.item() < 0.0
    trained(second, 1)
    assert second.balance.log_gamma.item() != 0.0


def test_a_warm_up_longer_than_either_stage_is_refused_before_training(tiny):
    linear = ("balance=linear", "balance.gamma=0.3")
    check_balance(tiny(*linear, "balance.warm_up=2"), 40)
    with pytest.raises(UsageError, match=r"balance.warm_up=3 epochs are more than stage1.epochs=2"):
        tiny(*linear, "balance.warm_up=3")
    with pytest.raises(UsageError, match=r"balance.warm_up=3 epochs are more than stage2.epochs=2"):
        tiny(*linear, "balance.warm_up=3", "stage1.epochs=9")
    assert tiny(*linear, "balance.warm_up=3", "stage1.epochs=9", "stage2.enabled=false")
    with pytest.raises(UsageError, match=r"more than stage2.epochs=2, .*balance.warm_up=2 or less"):
        tiny(*linear, "balance.warm_up=9", "stage1.epochs=7")  # one answer, which fits both
    with pytest.raises(UsageError, match=r"has only 4; --set balance.warm_up=1 or less"):
        check_balance(tiny(*linear, "balance.warm_up=2", "stage1.max_steps=7", "stage2.max_steps=4"), 40)
    for stage in (1, 2):
        with pytest.raises(
            UsageError, match=r"warm_up=2 epochs are 8 steps, but a stage of the run has only 5; .*=1.25"
        ):
            check_balance(tiny(*linear, "balance.warm_up=2", f"stage{stage}.max_steps=5"), 40)


def test_more_cycles_than_steps_allow_are_refused(tiny):
    with pytest.raises(UsageError, match=r"balance.cycles=5, .*only 8 steps.*balance.cycles=4 or less"):
        check_balance(tiny("balance=cyclical", "balance.gamma=0.3", "balance.cycles=5"), 40)
