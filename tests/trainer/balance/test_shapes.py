"""Each strategy trains on the built-in shapes to a stated error: 600 steps of the preset at a larger rate, seed 0."""

import pytest
import torch

from trainer.images import load_images
from trainer.loop import train_batch
from trainer.settings import load_preset, resolve
from trainer.stages import image_stage

SETTINGS = {
    "computed": (),
    "average": (),
    "learned": (),
    "fixed": ("balance.gamma=0.1",),
    "optimal": (),
    "beta": ("balance.beta=0.02",),
    "linear": ("balance.gamma=0.1", "balance.warm_up=3"),
    "cyclical": ("balance.gamma=0.1",),
    "free-bits": ("balance.gamma=0.1", "balance.floor=0.5"),
    "geco": ("balance.tolerance=0.016",),
    "rae-l2": (),
    "rae-sn": (),
    "rae-gp": (),
}


@pytest.fixture(scope="module")
def shapes():
    return load_images(resolve(load_preset("shapes"))).train


def trained(name, images):
    """The mean of the last 100 of 600 steps, by channel."""
    options = ["stage1.lr=1e-3", "stage1.epochs=6", "stage2.enabled=false", f"balance={name}", *SETTINGS[name]]
    config = resolve(load_preset("shapes"), options + ([] if name.startswith("rae") else ["stage1.kl_weight=1"]))
    torch.set_num_threads(1)
    stage = image_stage(config, images, torch.device("cpu"))
    rows = []
    while not stage.done:
        for batch in stage.shuffle():
            rows.append(train_batch(stage, batch))
            stage.step += 1
    last = rows[-100:]
    return {
        key: sum(float(row[key]) for row in last) / 100 for key in last[0] if torch.as_tensor(last[0][key]).ndim == 0
    }
