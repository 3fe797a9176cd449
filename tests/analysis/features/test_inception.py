import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from analysis.features import extractors, weights
from analysis.features.inception import Inception
from analysis.features.published import SHA256
from trainer.fetch.catalogue import File
from vaemon.cli import vaemon


def test_what_it_takes_fills_the_published_file(random_weights):
    """To the last layer: what is left of the file's size are the headers of its 566 entries, some 150 bytes each."""
    Inception(random_weights)
    held = sum(values.numel() * values.element_size() for values in random_weights.values())
    assert len(random_weights) == 566
    assert 100 * 566 < weights.PUBLISHED.size - held < 200 * 566


def test_features_equal_those_of_the_network_written_plainly(random_weights, slow_inception):
    images = torch.rand((2, 3, 139, 139), generator=torch.Generator().manual_seed(1)) * 2 - 1
    with torch.no_grad():
        ours, wanted = Inception(random_weights)(images), slow_inception(images)
    assert ours.shape == (2, 2048)
    assert ours.dtype == torch.float32
    apart = (wanted[0] - wanted[1]).norm()
    assert apart > 1e-3 * wanted.norm()  # else the images would be nothing to the features
    assert (ours - wanted).norm() <= 1e-5 * wanted.norm()
    assert (ours - wanted).norm() <= 1e-3 * apart


def test_it_computes_in_bfloat16_where_told_to(random_weights):
    images = torch.rand((1, 3, 139, 139), generator=torch.Generator().manual_seed(1)) * 2 - 1
    with torch.no_grad():
        exact = Inception(random_weights)(images)
        rounded = Inception(random_weights).to(torch.bfloat16)(images.to(torch.bfloat16))
    assert rounded.dtype == torch.float32
    assert 0 < (rounded - exact).norm() < 0.05 * exact.norm()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda state: state.pop("Mixed_7c.branch_pool.bn.weight"), "lacks Mixed_7c.branch_pool.bn.weight"),
        (lambda state: state.update({"AuxLogits.fc.weight": torch.zeros(1)}), "has AuxLogits.fc.weight"),
        (lambda state: state.update({"fc.weight": torch.zeros(1000, 2048)}), "fc.weight is of shape"),
    ],
)
def test_weights_of_another_network_are_named(random_weights, change, said):
    state = dict(random_weights)
    change(state)
    with pytest.raises(ValueError, match=said):
        Inception(state)


def test_fid_through_the_command_line(random_weights, tmp_path, monkeypatch):
    """With weights drawn at random in the place of those published, on few images: the path, not the figure."""

    def run(*words):
        done = CliRunner().invoke(vaemon, ["fid", *words], catch_exceptions=False, standalone_mode=False)
        return done.stdout, done.stderr

    monkeypatch.chdir(tmp_path)
    torch.save(random_weights, "random.pth")
    content = Path("random.pth").read_bytes()
    file = File("random.pth", f"sha256:{hashlib.sha256(content).hexdigest()}", len(content))
    monkeypatch.setattr(weights, "PUBLISHED", file)
    rng = np.random.default_rng(0)
    np.save("a.npy", rng.integers(0, 256, (2, 16, 16, 3), dtype=np.uint8))
    np.save("b.npy", rng.random((2, 16, 16)))
    out, err = run("a.npy", "b.npy", "--weights", "random.pth", "--recipe", "dai-wipf", "--json")
    found = json.loads(out)
    assert found["distance"] == "FID"
    assert found["value"] > 0
    assert found["reference"]["recipe"] == found["judged"]["recipe"] == "dai-wipf"
    assert found["judged"]["quantisation"] == "floats, not rounded, each stretched by its own extremes"
    assert SHA256 in found["judged"]["features"]
    assert "an FID is mostly bias" in err
    monkeypatch.setattr(extractors.weights, "inception", None)  # features that are kept need no network
    assert run("a.npy", "b.npy", "--recipe", "dai-wipf", "--json")[0] == out
