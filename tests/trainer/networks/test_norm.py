from types import SimpleNamespace

import numpy as np
import pytest
import torch

from trainer.networks.norm import BatchNorm

DECAY, EPS = 0.999, 1e-5


def tensorflow_statistics(batches: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Slowly: biased batch moments averaged from zero, then divided by the weight they have gathered."""
    mean = variance = 0.0
    weight = 0.0
    for batch in batches:
        flat = batch.astype(np.float64).transpose(1, 0, 2, 3).reshape(batch.shape[1], -1)
        mean = DECAY * mean + (1 - DECAY) * flat.mean(1)
        variance = DECAY * variance + (1 - DECAY) * flat.var(1)
        weight = DECAY * weight + (1 - DECAY)
    return mean / weight, variance / weight


def batches(count: int, *sizes: int) -> list[np.ndarray]:
    generator = np.random.default_rng(0)
    return [
        generator.normal(3.0, 2.0, (sizes[i % len(sizes)], 2, 4, 4)).astype(np.float32) * (1 + i / count)
        for i in range(count)
    ]


@pytest.mark.parametrize("sizes", [(3,), (3, 2, 5)], ids=["equal batches", "batches of changing size"])
@pytest.mark.parametrize("count", [1, 2, 50])
def test_evaluation_has_tensorflows_zero_debiased_statistics(count, sizes):
    given = batches(count, *sizes)
    norm = BatchNorm(2)
    for batch in given:
        norm(torch.from_numpy(batch))
    mean, variance = tensorflow_statistics(given)

    found_mean, found_variance = norm.statistics()
    np.testing.assert_allclose(found_mean.numpy(), mean, rtol=1e-4)
    np.testing.assert_allclose(found_variance.numpy(), variance, rtol=1e-4)

    norm.eval()
    x = given[0]
    expected = (x - mean[:, None, None]) / np.sqrt(variance[:, None, None] + EPS)
    np.testing.assert_allclose(norm(torch.from_numpy(x)).detach().numpy(), expected, rtol=1e-3, atol=1e-4)


def test_training_normalises_by_the_batch():
    x = torch.from_numpy(batches(1, 7)[0])
    out = BatchNorm(2)(x)
    torch.testing.assert_close(out.mean((0, 2, 3)), torch.zeros(2), atol=1e-5, rtol=0)
    torch.testing.assert_close(out.var((0, 2, 3), unbiased=False), torch.ones(2), atol=1e-4, rtol=0)


def test_torchs_own_statistics_are_what_this_mends():
    x = torch.from_numpy(batches(1, 7)[0])
    theirs, ours = torch.nn.BatchNorm2d(2, momentum=1 - DECAY), BatchNorm(2)
    theirs(x), ours(x)
    true_mean = x.mean((0, 2, 3))
    assert (theirs.running_mean - true_mean).abs().min() > 1
    torch.testing.assert_close(ours.statistics()[0], true_mean)


def test_evaluation_before_any_training_changes_nothing():
    x = torch.from_numpy(batches(1, 7)[0])
    torch.testing.assert_close(BatchNorm(2).eval()(x), x, rtol=1e-4, atol=1e-4)


def test_the_counts_are_part_of_the_state(tmp_path):
    norm = BatchNorm(2)
    for batch in batches(5, 3):
        norm(torch.from_numpy(batch))
    torch.save(norm.state_dict(), tmp_path / "norm.pt")
    other = BatchNorm(2)
    other.load_state_dict(torch.load(tmp_path / "norm.pt", weights_only=True))
    assert (other.steps, other.values) == (5, 48)
    torch.testing.assert_close(other.statistics(), norm.statistics())


def test_values_without_places_are_normalised_as_a_map_of_one():
    x = torch.from_numpy(batches(1, 7)[0][:, :, 0, 0])
    flat, map_of_one = BatchNorm(2), BatchNorm(2)
    torch.testing.assert_close(flat(x), map_of_one(x[:, :, None, None])[:, :, 0, 0])
    torch.testing.assert_close(flat.statistics(), map_of_one.statistics())


@pytest.mark.parametrize("places", [(5, 5), ()], ids=["places", "none"])
def test_a_part_of_a_batch_is_normalised_by_the_whole(monkeypatch, places):
    whole = torch.randn(8, 3, *places) * 2 + 1
    halves = whole[:4], whole[4:]
    over = (0, *range(2, whole.ndim))
    told = torch.stack([torch.stack((half.mean(over), half.var(over, correction=0))) for half in halves])
    monkeypatch.setattr("trainer.networks.norm.ranks.here", lambda: SimpleNamespace(count=2))
    monkeypatch.setattr("trainer.networks.norm.ranks.gathered", lambda own: told)
    alone, together = BatchNorm(3), BatchNorm(3)
    parts = torch.cat([together(half) for half in halves])
    monkeypatch.undo()
    torch.testing.assert_close(parts, alone(whole), rtol=1e-4, atol=1e-5)
