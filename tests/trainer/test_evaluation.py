import copy
import math

import numpy as np
import pytest
import torch

from analysis.measures.kl import gaussian_kl
from trainer import evaluation, ranks
from trainer.data.watch import Stopped
from trainer.evaluation import Evaluator, is_due
from trainer.runs import Run
from trainer.stages import EVALUATION, generator, latent_stage
from trainer.training import train
from vaemon import open_run
from vaemon.errors import VaemonError
from vaemon.source.local import LocalSource
from vaemon.thresholds import DEFAULT


def same(one, other):
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    return torch.equal(one, other) if isinstance(one, torch.Tensor) else one == other


@pytest.mark.parametrize(
    ("every", "epochs"),
    [(50, [1, 2, 4, 8, 11]), (5, [1, 2, 4, 5, 10, 11]), (4, [1, 2, 4, 8, 11]), (1, list(range(1, 12)))],
)
def test_epochs_1_2_4_and_then_every_so_many_and_the_end_are_evaluated(tiny_stage, every, epochs):
    stage = tiny_stage("stage1.epochs=11")
    due = []
    for step in range(stage.total_steps + 1):
        stage.step = step
        if is_due(stage, every):
            due.append(stage.step)
    assert due == [4 * epoch for epoch in epochs]


class Kept:
    """A recorder that keeps what is recorded."""

    def __init__(self):
        self.sets = {}
        self.rows = {}

    def images(self, kind, images, step):
        self.sets[kind, step] = torch.as_tensor(images)

    def evaluation(self, step, **values):
        self.rows[step] = values


def test_a_first_stage_is_evaluated_on_test_images(tiny_stage, pixels):
    stage, kept = tiny_stage(), Kept()
    evaluate = Evaluator(kept, 0, stage.network, pixels[:7], 0, DEFAULT)
    evaluate.record_inputs()
    stage.step = 4
    evaluate(stage)
    assert {key: tuple(each.shape) for key, each in kept.sets.items()} == {
        ("inputs", 0): (7, 8, 8, 3),
        ("reconstructions", 4): (7, 3, 8, 8),
        ("GEN-1", 4): (64, 3, 8, 8),
    }
    row = kept.rows[4]
    x = torch.from_numpy(pixels[:7]).permute(0, 3, 1, 2) / 255
    assert row["mse"] == pytest.approx((x - kept.sets["reconstructions", 4]).square().mean().item(), rel=1e-2)
    assert 0 < row["mse_min"] < row["mse"] < row["mse_max"]
    with torch.no_grad():
        mean, log_variance = stage.network.encode(x)
    variance = log_variance.exp().mean(0)
    assert row["kl"] == pytest.approx(gaussian_kl(mean.numpy(), log_variance.numpy()).sum(1).mean(), rel=1e-5)
    assert row["variance_law"] == pytest.approx((variance + mean.square().mean(0)).mean().item(), rel=1e-5)
    assert row["inactive"] == (variance >= 0.8).sum().item()
    assert row["active_units"] == (mean.var(0, correction=0) > 0.01).sum().item()


def test_codes_are_decoded_along_the_latents_that_are_most_awake(tiny_stage, pixels):
    stage, kept = tiny_stage(), Kept()
    code, variance = torch.tensor([0.5, -0.5, 1.0]), torch.tensor([0.2, 0.9, 0.1])
    with torch.no_grad():
        Evaluator(kept, 0, stage.network, pixels, 0, DEFAULT)._record_traversals(4, code, variance)
        assert list(kept.sets) == [("traversal 2", 4), ("traversal 0", 4)]
        images = kept.sets["traversal 0", 4]
        assert tuple(images.shape) == (9, 3, 8, 8)
        for place, image in zip((-3.0, 0.0, 3.0), images[[0, 4, 8]], strict=True):
            torch.testing.assert_close(image, stage.network.decode(torch.tensor([[place, -0.5, 1.0]]))[0])
    assert code.tolist() == [0.5, -0.5, 1.0]


def test_a_second_stage_is_sampled_through_the_first(tiny, tiny_stage, pixels):
    first, kept = tiny_stage(), Kept()
    second = latent_stage(tiny(), torch.zeros(40, 3), torch.zeros(40, 3), (8, 8, 3))
    second.step = second.total_steps
    Evaluator(kept, 0, first.network, pixels, 0, DEFAULT)(second)
    assert [(key, tuple(each.shape)) for key, each in kept.sets.items()] == [(("GEN-2", 8), (64, 3, 8, 8))]
    assert kept.rows[8].keys() == {"mse", "kl", "variance_law", "inactive", "active_units"}


def test_samples_of_a_learned_gamma_have_its_noise_and_others_have_none(tiny, tiny_stage, pixels, monkeypatch):
    first, decoded = tiny_stage(), {}
    decode = first.network.decode
    for name in ("computed", "learned"):
        second = latent_stage(tiny(f"balance={name}"), torch.zeros(40, 3), torch.zeros(40, 3), (8, 8, 3))
        with torch.no_grad():
            for weight in second.network.parameters():
                weight.zero_()  # ẑ = 0, whatever u
            for weight in second.balance.parameters():
                weight.fill_(math.log(0.3))
        second.step, kept = second.total_steps, Kept()
        monkeypatch.setattr(first.network, "decode", lambda z, name=name: decode(decoded.setdefault(name, z)))
        Evaluator(kept, 0, first.network, pixels, 0, DEFAULT)(second)
        torch.testing.assert_close(kept.sets["GEN-2", 8], decode(decoded[name]).detach())
    assert not decoded["computed"].any()
    assert decoded["learned"].shape == (64, 3)
    assert decoded["learned"].std().item() == pytest.approx(0.3, rel=0.2)  # of 192 numbers


def test_evaluating_changes_nothing_and_says_the_same_twice(tiny_stage, pixels):
    stage, kept = tiny_stage("network=resnet", "network.base_dim=2", "network.num_scale=2", "network.fc_dim=4"), Kept()
    stage.network.train()
    stage.step = 4
    before = copy.deepcopy(stage.network.state_dict())
    noise, order, everyones = stage.noise.get_state(), stage.state_dict()["shuffle"], torch.get_rng_state()
    evaluate = Evaluator(kept, 0, stage.network, pixels, 0, DEFAULT)
    evaluate(stage)
    first, images = kept.rows[4], kept.sets["GEN-1", 4]
    evaluate(stage)
    assert kept.rows[4] == first
    assert torch.equal(kept.sets["GEN-1", 4], images)
    assert stage.network.training
    assert same(stage.network.state_dict(), before)
    assert torch.equal(stage.noise.get_state(), noise)
    assert torch.equal(stage.state_dict()["shuffle"], order)
    assert torch.equal(torch.get_rng_state(), everyones)


def test_a_run_has_its_samples_and_its_epoch_table(runs, screen, tiny):
    config = tiny("stage1.epochs=3")
    assert train(Run("a", runs / "a", "shapes", config, False), screen, lambda: "")
    source = LocalSource(runs / "a")
    assert [(each.stage, each.step, each.kind, each.count) for each in source.images()] == [
        (1, 0, "inputs", 40),
        *((1, step, kind, n) for step in (4, 8, 12) for kind, n in (("GEN-1", 64), ("reconstructions", 40))),
        (2, 4, "GEN-2", 64),
        (2, 8, "GEN-2", 64),
    ]
    with open_run("a", runs) as run:
        assert [(each.stage, each.step) for each in run.evaluations()] == [(1, 4), (1, 8), (1, 12), (2, 4), (2, 8)]


def test_latents_are_counted_by_the_thresholds_of_the_run(tiny_stage, pixels):
    found = []
    for at in (DEFAULT, DEFAULT.changed({"inactive": 1e-9, "unit": 1e9})):
        stage, kept = tiny_stage(), Kept()
        stage.step = 4
        Evaluator(kept, 0, stage.network, pixels, 0, at)(stage)
        found.append(kept.rows[4])
    latents = stage.network.encode(torch.zeros(1, 3, 8, 8))[0].shape[1]
    assert (found[1]["inactive"], found[1]["active_units"]) == (latents, 0)
    assert found[0]["mse"] == found[1]["mse"]


def test_figures_are_over_as_many_test_images_as_are_asked_for_in_any_cut(tiny_stage, pixels, monkeypatch):
    rows = {}
    for images, chunk in ((0, 500), (0, 7), (9, 500)):
        stage, kept = (
            tiny_stage("balance=rae-l2", "stage2.enabled=false"),
            Kept(),
        )  # draws no noise
        stage.step = 4
        monkeypatch.setattr(evaluation, "CHUNK", chunk)
        Evaluator(kept, 0, stage.network, pixels, images, DEFAULT)(stage)
        rows[images, chunk] = kept.rows[4]
        order = torch.randperm(40, generator=generator(0, 1, EVALUATION))
        x = torch.from_numpy(pixels)[order[: images or None]].permute(0, 3, 1, 2) / 255
        with torch.no_grad():
            errors = (x - stage.network.decode(stage.network.encode(x)[0])).square().mean((1, 2, 3))
        expected = {"mse": errors.mean(), "mse_min": errors.min(), "mse_max": errors.max()}
        assert {name: kept.rows[4][name] for name in expected} == pytest.approx(
            {name: each.item() for name, each in expected.items()}, rel=1e-5
        )
    assert rows[0, 500] == pytest.approx(rows[0, 7])


def test_images_are_shown_and_measured_by_chance_not_by_name(tiny_stage):
    """A folder per class has all images of the first class first."""
    classes = np.repeat(np.arange(10, dtype=np.uint8), 100)
    test = np.broadcast_to(classes[:, None, None, None], (1000, 8, 8, 3))
    shown = {}
    for seed, images in ((0, 0), (0, 0), (1, 0), (0, 100), (0, 30)):
        stage, kept = tiny_stage(), Kept()
        evaluate = Evaluator(kept, seed, stage.network, test, images, DEFAULT)
        evaluate.record_inputs()
        again = shown.setdefault((seed, images), kept.sets["inputs", 0][:, 0, 0, 0].tolist())
        assert again == kept.sets["inputs", 0][:, 0, 0, 0].tolist()
        assert again == sorted(again), "in their own order"
        assert len(set(again)) > 7
        assert len(evaluate._test) == (images or 1000)
        assert len(np.unique(evaluate._test)) > 7
    assert shown[0, 0] == shown[0, 100] != shown[1, 0]
    assert len(shown[0, 0]) == 64
    assert len(shown[0, 30]) == 30


def test_an_evaluation_is_left_off_when_told_to_stop_but_for_the_last(tiny_stage, pixels):
    stage, kept = tiny_stage(), Kept()
    evaluate = Evaluator(kept, 0, stage.network, pixels, 0, DEFAULT, stop=lambda: "Ctrl-C")
    for step in (4, stage.total_steps):
        stage.step = step
        evaluate(stage)
    assert list(kept.rows) == [stage.total_steps]


def test_figures_and_samples_do_not_depend_on_how_many_train_together(tiny_stage, pixels, monkeypatch):
    kept = [Kept(), Kept()]
    for each, place in zip(kept, (ranks.Place(0, 1), ranks.Place(0, 2)), strict=True):
        stage = tiny_stage()
        stage.step = 4
        monkeypatch.setattr(ranks, "_here", place)
        Evaluator(each, 0, stage.network, pixels, 0, DEFAULT)(stage)
        assert ranks.here() is place
    assert kept[0].rows == kept[1].rows
    assert all(torch.equal(images, kept[1].sets[which]) for which, images in kept[0].sets.items())


def test_further_measures_are_recorded_and_neither_change_nor_end_a_training(tiny, runs, screen):
    """Two runs of one seed, one of them measured by what draws noise; one measure is of no use, and said to be."""
    seen = []

    def spread(stage, first, test, noise, stop):
        z = torch.randn((5, first.latents), generator=noise)
        seen.append((stage.number, stage.step, test.shape, first.training, stage.network.training))
        return {"spread": first.decode(z).std(), "mse": -1.0}

    def broken(stage, first, test, noise, stop):
        raise VaemonError("Inception's weights are not there")

    assert train(Run("plain", runs / "plain", "shapes", tiny()), screen, str)
    assert train(Run("more", runs / "more", "shapes", tiny()), screen, str, [broken, spread])
    assert [(number, step) for number, step, *_ in seen] == [(1, 4), (1, 8), (2, 4), (2, 8)]
    assert all(shape == (40, 8, 8, 3) and not first and not second for *_, shape, first, second in seen)
    with open_run("plain", runs) as plain, open_run("more", runs) as more:
        for before, after in zip(plain.evaluations(), more.evaluations(), strict=True):
            values = dict(after.values)
            assert values.pop("spread") > 0
            assert values == before.values
        told = [event.text for event in more.events() if event.kind == "error"]
        assert told == ["Inception's weights are not there"] * 4
        for stage in (1, 2):
            assert plain.series("loss", stage=stage).mean.tolist() == more.series("loss", stage=stage).mean.tolist()


@pytest.mark.parametrize("done", [False, True])
def test_a_measure_that_is_told_to_stop_leaves_no_half_evaluation_but_at_the_end_of_a_stage(tiny_stage, pixels, done):
    stage, kept, stopping = tiny_stage(), Kept(), []
    stage.step = stage.total_steps if done else 4

    def endless(stage, first, test, noise, stop):
        stopping.append(True)  # Ctrl-C, while it measures
        if stop():
            raise Stopped
        return {"never": 1.0}

    further = [lambda *given: {"first": 2.0}, endless]
    figures = Evaluator(kept, 0, stage.network, pixels, 0, DEFAULT, stop=lambda: stopping, measures=further)(stage)
    assert set(kept.rows) == ({stage.step} if done else set())
    assert (figures.get("first"), "never" in figures, bool(figures)) == (2.0 if done else None, False, done)
