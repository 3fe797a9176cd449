"""Each strategy trains on the built-in shapes to a stated error.

600 steps of the preset (a learned γ: 2,000; GECO: 1,200) at a larger rate, seed 0.
"""

import pytest
import torch

from trainer.images import load_images
from trainer.loop import train_batch
from trainer.options import DETERMINISTIC
from trainer.settings import load_preset, resolve
from trainer.stages import image_stage

SETTINGS = {
    "computed": (),
    "average": (),
    "learned": ("stage1.epochs=20",),  # Adam moves log γ by the rate a step, whatever the error
    "fixed": ("balance.gamma=0.1",),
    "optimal": (),
    "beta": ("balance.beta=0.02",),
    "linear": ("balance.gamma=0.1", "balance.warm_up=3"),
    "cyclical": ("balance.gamma=0.1",),
    "free-bits": ("balance.gamma=0.1", "balance.floor=0.5"),
    "geco": ("balance.tolerance=0.008", "stage1.epochs=12"),  # λ has a way to go from 1 to some 40, and back
    "rae-l2": (),
    "rae-sn": ("balance.code_weight=1e-3",),  # no batch norm gives a dense decoder its gain back
    "rae-gp": (),
    "wae-mmd": (),
    "vampprior": ("balance.gamma=0.1", "balance.pseudo_inputs=50", "balance.pseudo_mean=0.4"),
}


@pytest.fixture(scope="module")
def shapes():
    return load_images(resolve(load_preset("shapes"))).train


def trained(name, images):
    """The means of every 100 steps, by channel."""
    options = ["stage1.lr=1e-3", "stage1.epochs=6", "stage2.enabled=false", f"balance={name}", *SETTINGS[name]]
    config = resolve(load_preset("shapes"), options + ([] if name in DETERMINISTIC else ["stage1.kl_weight=1"]))
    torch.set_num_threads(1)
    stage = image_stage(config, images, torch.device("cpu"))
    rows = []
    while not stage.done:
        for batch in stage.shuffle():
            rows.append(train_batch(stage, batch))
            stage.step += 1
    return [_averaged(rows[start : start + 100]) for start in range(0, len(rows), 100)]


def _averaged(rows):
    scalars = [key for key in rows[0] if torch.as_tensor(rows[0][key]).ndim == 0]
    return {key: sum(float(row[key]) for row in rows) / len(rows) for key in scalars}


LARGEST = {
    "computed": 0.0135,
    "average": 0.0135,
    "learned": 0.013,
    "fixed": 0.0085,
    "optimal": 0.006,
    "beta": 0.0085,
    "linear": 0.0095,
    "cyclical": 0.0095,
    "free-bits": 0.0095,
    "geco": 0.0085,
    "rae-l2": 0.0055,
    "rae-sn": 0.0136,
    "rae-gp": 0.0048,
    "wae-mmd": 0.0061,
    "vampprior": 0.0088,
}
"""The mse to be reached, some 15 % above what it was on one machine. It begins at .09; the mean image has .0146."""


@pytest.mark.slow
@pytest.mark.parametrize("name", LARGEST)
def test_a_strategy_trains_on_shapes_to_its_error(name, shapes):
    *_, found = means = trained(name, shapes)
    assert found["mse"] < LARGEST[name]
    if name not in DETERMINISTIC:
        assert found["mixture_kl" if name == "vampprior" else "kl"] > 0.3  # something of the images is in the latents
    if name == "wae-mmd":
        assert means[0]["mmd"] > 4 * found["mmd"]
        assert found["code_norm"] == pytest.approx(16 / 2, rel=0.05)  # of 16 latents, as of samples of the prior
    if name == "geco":
        mse = [each["mse"] for each in means]
        assert min(mse) > 0.85 * 0.008  # never far below what is wanted
        assert mse[-1] == pytest.approx(0.008, rel=0.05)
