import numpy as np
import pytest
import torch

from trainer.loop import run_stage, train_batch
from trainer.networks.build import IMAGE_NETWORKS
from trainer.stages import image_stage
from vaemon.errors import BadLoss


class Saves(list):
    """Where checkpoints, or evaluations, would go: the steps they were made at."""

    def __call__(self, stage):
        self.append(stage.step)


@pytest.fixture
def run(recorder, screen):
    """run(stage, stop=…, save_every=…) -> the saves."""

    def call(stage, stop=lambda: False, save_every=1e9):
        call.saves.clear()
        call.evaluated.clear()
        run_stage(
            stage,
            recorder,
            save=call.saves,
            save_every=save_every,
            evaluate=call.evaluated,
            stop=stop,
            screen=screen,
        )
        return call.saves

    call.saves = Saves()
    call.evaluated = Saves()
    return call


def test_a_stage_logs_every_step_with_its_epoch_and_rate(run, tiny_stage, recorder):
    stage = tiny_stage("stage1.epochs=3", "stage1.halve_every=1", "stage1.lr=0.4")
    assert run(stage) == [12]
    assert stage.done
    assert [row["step"] for row in recorder.rows] == list(range(1, 13))
    assert [row["epoch"] for row in recorder.rows] == [0] * 4 + [1] * 4 + [2] * 4
    assert [row["lr"] for row in recorder.rows] == [0.4] * 4 + [0.2] * 4 + [0.1] * 4
    assert recorder.rows[0]["gamma"].item() == 1.0
    assert recorder.rows[1]["gamma"].item() == pytest.approx((0.99 + 0.01 * recorder.rows[0]["mse"].item()) ** 0.5)


def test_no_checkpoint_is_written_ahead_of_the_rows(run, tiny_stage, recorder):
    recorder.writes = False
    assert run(tiny_stage("stage1.epochs=2"), save_every=0.0) == []


def test_an_evaluation_that_was_left_off_is_made_up_first(run, tiny_stage):
    stage = tiny_stage("stage1.epochs=2")
    run(stage, stop=lambda: stage.step >= 4)
    assert run.evaluated == [4]
    run(stage)
    assert run.evaluated == [4, 8]


def test_the_rate_in_force_is_the_rate_recorded(run, tiny_stage):
    stage = tiny_stage("stage1.epochs=2", "stage1.halve_every=1", "stage1.lr=0.4")
    run(stage)
    assert stage.optimizer.param_groups[0]["lr"] == 0.2


def test_training_lessens_the_loss(run, tiny, recorder):
    white = np.full((40, 8, 8, 3), 255, np.uint8)
    run(image_stage(tiny("stage1.epochs=10", "stage1.lr=1e-2"), white, torch.device("cpu")))
    mse = [row["mse"].item() for row in recorder.rows]
    assert sum(mse[-4:]) < 0.1 * sum(mse[:4])


def test_nothing_in_a_step_waits_for_the_device(tiny_stage, nothing_waits):
    """Each of these asks for a value on the host, for which a GPU would have to finish first."""
    small = {
        "resnet": ("network.base_dim=2", "network.num_scale=2", "network.fc_dim=4", "network.l2_up=1"),
        "infogan": ("network.conv_dim=1", "network.l2_up=1"),
        "wae": ("network.conv_dim=1", "network.l2_up=1"),
        "dense": (),
    }
    for stage in [tiny_stage(f"network={name}", *small[name]) for name in IMAGE_NETWORKS]:
        rows = stage.shuffle()[0]
        train_batch(stage, rows)  # the optimizer makes its state in the first step
        with nothing_waits():
            train_batch(stage, rows)


def test_max_steps_ends_within_an_epoch(run, tiny_stage, recorder):
    assert run(tiny_stage("stage1.max_steps=6")) == [6]
    assert len(recorder.rows) == 6


def test_a_stop_comes_after_the_present_step_and_is_saved(run, tiny_stage, recorder):
    stage = tiny_stage("stage1.epochs=10")
    assert run(stage, stop=lambda: stage.step >= 7) == [7]
    assert [row["step"] for row in recorder.rows] == list(range(1, 8))
    assert not stage.done


def test_a_stage_that_is_done_trains_no_further(run, tiny_stage, recorder):
    stage = tiny_stage()
    run(stage)
    rows = len(recorder.rows)
    run(stage)
    assert len(recorder.rows) == rows


def test_checkpoints_are_made_as_often_as_asked(run, tiny_stage):
    assert run(tiny_stage(), save_every=0.0) == [1, 2, 3, 4, 5, 6, 7, 8]


def test_every_epoch_ends_with_a_chance_to_evaluate(run, tiny_stage):
    run(tiny_stage("stage1.epochs=3", "stage1.max_steps=10"))
    assert run.evaluated == [4, 8, 10]


def test_the_screen_sees_the_end(run, tiny_stage, screen):
    run(tiny_stage())
    assert screen.shown[-1] == (1, 8)


def test_a_loss_gone_bad_stops_and_is_not_saved(run, tiny_stage, recorder):
    stage = tiny_stage()
    take = stage.take
    stage.take = lambda rows: take(rows) * (float("nan") if stage.step >= 2 else 1.0)
    with pytest.raises(BadLoss, match=r"mse became NaN or infinite at step 3 of stage 1.*Lower stage1.lr") as caught:
        run(stage)
    assert run.saves == []
    assert str(recorder.folder) in str(caught.value)


def test_a_bad_loss_is_found_before_a_checkpoint_in_between(run, tiny_stage, recorder):
    stage = tiny_stage("stage1.epochs=100")
    take = stage.take
    stage.take = lambda rows: take(rows) * (float("nan") if stage.step >= 2 else 1.0)
    with pytest.raises(BadLoss):
        run(stage, save_every=0.0)
    assert run.saves == [1, 2]
    assert len(recorder.rows) == 3


def test_weights_gone_bad_in_the_last_step_are_not_saved(run, tiny_stage):
    stage = tiny_stage("stage1.epochs=1")
    step = stage.optimizer.step

    def break_a_weight():
        step()
        if stage.step == 3:
            with torch.no_grad():
                next(stage.network.parameters()).fill_(float("inf"))

    stage.optimizer.step = break_a_weight
    with pytest.raises(BadLoss, match="a weight became NaN or infinite in step 4 of stage 1"):
        run(stage)
    assert run.saves == []


def test_the_loop_leaves_a_network_in_training_mode(run, tiny_stage):
    stage = tiny_stage()
    stage.network.eval()
    run(stage)
    assert stage.network.training
