"""Runs of two tiny stages with weights of one's own choice, as `vaemon train` leaves them."""

from pathlib import Path

import numpy as np
import pytest
import torch

from analysis.generate.trained import Trained
from trainer import checkpoint
from trainer.config import Balance, Config, Data, Network, Stage1, Stage2
from trainer.images import load_images
from trainer.stages import image_stage, latent_stage
from vaemon import Recorder

LATENTS = 4
SHAPE = (8, 8, 3)


def tiny_config(**more):
    fields = {
        "seed": 5,
        "device": "cpu",
        "data": Data(name="shapes", size=8, limit=60),
        "network": Network(name="dense", latents=LATENTS, hidden=(6,)),
        "stage1": Stage1(batch=10),
        "stage2": Stage2(second_dim=7, second_depth=1, batch=10),
    }
    return Config(**(fields | more))


class Made:
    """A run's folder, and what is done to it."""

    def __init__(self, folder: Path, config: Config) -> None:
        self.folder = folder
        self.config = config
        self.first = image_stage(config, load_images(config).train, torch.device("cpu"))
        for each in self.first.network.parameters():
            each.data *= 1.5  # fresh weights would leave the posteriors next to the prior
        codes = torch.zeros(60, LATENTS)
        self.second = latent_stage(config, codes, codes, SHAPE)

    def save(self, *stages: int) -> None:
        for stage in stages or (1, 2):
            state = (self.first if stage == 1 else self.second).state_dict()
            checkpoint.save(self.folder, stage, state, self.config, SHAPE)

    @torch.no_grad()
    def shrink(self, deviation: list[float], centre: list[float]) -> None:
        """Let the second stage's decoder give exactly ẑ_i = centre_i + deviation_i u_i."""
        head = self.second.network.head
        head.weight.zero_()
        head.weight[:, -LATENTS:] = torch.diag(torch.tensor(deviation))
        head.bias.copy_(torch.tensor(centre))

    def trained(self) -> Trained:
        return Trained(self.folder)


@pytest.fixture
def make_run(runs):
    """make(name="tiny", **sections) -> a run with both stages, saved."""

    def make(name: str = "tiny", saved: tuple[int, ...] = (1, 2), **sections) -> Made:
        with Recorder(name, latents=LATENTS, runs=runs) as recorder:
            recorder.log(1, mean_variance=np.ones(LATENTS))
        made = Made(runs / name, tiny_config(**sections))
        if saved:
            made.save(*saved)
        return made

    return make


@pytest.fixture
def shrunken(make_run):
    """A run whose second stage is known exactly: ẑ = centre + deviation u."""
    made = make_run()
    made.shrink([0.5, 0.8, 0.92, 1.25], [0.0, 1.0, -2.0, 0.5])
    made.save(2)
    return made


@pytest.fixture
def learned(make_run):
    """A run with a learned γ, γ_z = 0.5."""
    made = make_run(balance=Balance(name="learned"))
    made.shrink([0.5] * LATENTS, [0.0] * LATENTS)
    made.second.balance.log_gamma.data.fill_(float(np.log(0.5)))
    made.save()
    return made
