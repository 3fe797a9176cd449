"""Runs recorded for real, of few steps: evaluated, with a second stage, with a known number of latents in use."""

from copy import deepcopy

import numpy as np
import pytest

from analysis.tables.answer import Asked, table_of
from vaemon import Recorder
from vaemon.source.far.links import Links

CIFAR = {
    "seed": 0,
    "data": {"name": "cifar10", "path": "/data/cifar10"},
    "network": {"name": "resnet", "latents": 8},
    "balance": {"name": "computed"},
    "stage1": {"epochs": 4, "lr": 1e-4},
    "stage2": {"enabled": True, "epochs": 8},
}


@pytest.fixture
def record(runs):
    """record(name, {epochs: evaluation}, {"stage1.lr": 2e-4}, ...) -> a run of 10 steps an epoch, 4 epochs.

    Of its 8 latents the first `inactive` sleep. `settings` change its config; None: it has none. It has a folder of
    checkpoints, without any.
    """

    def make(name, evaluations, settings=(), *, inactive=3, second=None, per_epoch=10, planned=4):
        config = None if settings is None else _config(dict(settings))
        with Recorder(
            name, latents=8, runs=runs, config=config, steps_per_epoch=per_epoch, total_steps=10 * planned
        ) as recorder:
            variance = np.where(np.arange(8) < inactive, 0.9, 0.05)
            for step in range(1, 41):
                recorder.log(
                    step,
                    mean_variance=variance,
                    mean_mu=np.zeros(8),
                    mu_squared=1 - variance,
                    latent_kl=-0.5 * np.log(variance),
                )
                if step % 10 == 0 and step // 10 in evaluations:
                    recorder.evaluation(step, **evaluations[step // 10])
            if second is not None:
                recorder.stage(2, latents=8, steps_per_epoch=per_epoch, total_steps=20)
                recorder.log(1, mse=0.5)
                recorder.evaluation(1, **second)
        (runs / name / "checkpoints").mkdir()
        return name

    return make


def _config(settings):
    config = deepcopy(CIFAR)
    for key, value in settings.items():
        within, _, last = key.rpartition(".")
        (config.setdefault(within, {}) if within else config)[last] = value
    return config


@pytest.fixture
def table(runs):
    """table(number, *addresses, only=...) -> the table of recorded runs; by default of all."""

    def make(number, *addresses, only=None):
        return table_of(Asked(addresses or ("*",), runs, Links(), only), number)

    return make
