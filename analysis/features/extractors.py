"""What makes features of a block of images.

By Inception's, a Fréchet distance is an FID; by others' it is an FD of their name, and never an FID.
"""

import hashlib
import importlib
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import torch

from analysis.features import weights
from analysis.features.inception import WIDTH, Inception
from analysis.features.published import SHA256
from analysis.features.recipes import Block, Recipe, Role, as_tensor
from trainer.checkpoint import path_of, restore_vae
from trainer.data.images import sides
from trainer.networks.vae import images_to_input
from trainer.precision import emulates_bfloat16
from vaemon.errors import DataNotFound, UsageError

Rows = npt.NDArray[np.float32]
AT_ONCE = {"cpu": 8}
"""Images that go through Inception together; more than that need memory that a processor's caches have not."""


class Extractor(Protocol):
    """A function of images, with what others need to know of it."""

    @property
    def distance(self) -> str:
        """What a Fréchet distance of its features is called: "FID", or "FD-" and a name."""

    @property
    def made_by(self) -> str:
        """What tells its features from all others'; empty: nobody knows, and nothing of it is kept."""

    @property
    def recipe(self) -> Recipe | None:
        """None where it takes images as they are."""

    @property
    def width(self) -> int:
        """Features of an image; 0 while nobody knows."""

    def fetch(self) -> None:
        """Fetch what it needs, and has not: called in one process before it is called in any."""

    def __call__(self, block: Block, role: Role) -> Rows:
        """Features (n, d) of a block of n images."""


class InceptionFeatures:
    """The 2,048 features of pool_3."""

    distance = "FID"
    width = WIDTH

    def __init__(
        self, recipe: Recipe, given: Path | None, *, bf16: bool, device: Any, progress: weights.Progress
    ) -> None:
        """Prepare them; the weights are read when the first image comes.

        Args:
            recipe: what is done to images first.
            given: file of the weights, or None to look for it.
            bf16: compute in bfloat16, with an error of some 4e-3 of a feature.
            device: to compute on.
            progress: opens a bar, should the weights have to be fetched.

        Raises:
            UsageError: the device emulates bfloat16.
        """
        if bf16 and emulates_bfloat16(device):
            raise UsageError("this processor only emulates bfloat16, at a twentieth of the speed; leave out --bf16")
        self.recipe = recipe
        self.precision = "bfloat16" if bf16 else "float32"
        self.made_by = f"inception {SHA256} {recipe.name} {self.precision}"
        self._given = given
        self._device = device
        self._progress = progress
        self._network: Inception | None = None

    def fetch(self) -> None:
        """See to it that the weights are there."""
        weights.find(self._given, self._progress)

    def __call__(self, block: Block, role: Role) -> Rows:
        """Features (n, 2048)."""
        if self._network is None:
            self._network = weights.inception(self._given, self._progress).to(self._device)
            if self.precision == "bfloat16":
                self._network.to(torch.bfloat16)
        images = self.recipe.prepared(block, role, self._device).to(self._network.Conv2d_1a_3x3.weight.dtype)
        parts = [self._network(part) for part in images.split(AT_ONCE.get(self._device.type, len(images)))]
        return _array(torch.cat(parts))


class EncoderFeatures:
    """The posterior means μ of a run's own first stage."""

    distance = "FD-encoder"
    recipe = None

    def __init__(self, run_folder: Path, *, device: Any) -> None:
        """Restore the encoder.

        Raises:
            UsageError: the run has no checkpoint.
            RunFileError: it is damaged.
        """
        self._restored = restore_vae(run_folder, 1)
        self._restored.model.to(device)
        self._device = device
        self._name = run_folder.name
        self.width = self._restored.model.latents
        self.made_by = f"encoder {hashlib.sha256(path_of(run_folder, 1).read_bytes()).hexdigest()}"

    def fetch(self) -> None:
        """Nothing: the checkpoint is there."""

    def __call__(self, block: Block, role: Role) -> Rows:
        """Means (n, k)."""
        wanted, pad = self._restored.shape, self._restored.config.data.pad
        parts = []
        for images in block:
            bare = images.shape[1:] != wanted
            padded = np.pad(images, ((0, 0), (pad, pad), (pad, pad), (0, 0))) if pad and bare else images
            if padded.shape[1:] != wanted:
                raise DataNotFound(
                    f"the encoder of {self._name} takes images of {sides(wanted)}, these are {sides(images.shape[1:])}"
                )
            # A copy, for torch warns of what is read-only.
            x = torch.from_numpy(np.array(padded, order="C")).to(self._device)
            # Bytes are scaled to [0, 1]; floats are in it.
            parts.append(self._restored.model.encode(images_to_input(x) * (1 if x.dtype == torch.uint8 else 255))[0])
        return _array(torch.cat(parts))


class CallableFeatures:
    """What a function of the user's makes of images (n, 3, H, W), float32 in [0, 1]: an array or a tensor (n, d)."""

    recipe = None
    made_by = ""
    width = 0

    def __init__(self, named: str, *, device: Any) -> None:
        """Import it, from the working folder too.

        Args:
            named: MODULE:NAME.
            device: that the images are on.

        Raises:
            UsageError: it cannot be imported.
        """
        module, _, name = named.partition(":")
        if os.getcwd() not in sys.path:
            sys.path.insert(0, os.getcwd())
        try:
            self._function: Callable[[Any], Any] = getattr(importlib.import_module(module), name)
        except (ImportError, AttributeError, ValueError) as error:
            raise UsageError(f"--features {named}: {error}; it is MODULE:NAME of what Python can import") from error
        self.distance = f"FD-{name}"
        self._named = named
        self._device = device

    def fetch(self) -> None:
        """Nothing: what the function needs, it knows."""

    def __call__(self, block: Block, role: Role) -> Rows:
        """Whatever it gives, as (n, d)."""
        try:
            parts = [self._function(as_tensor(images, self._device) / 255) for images in block]
            rows = np.concatenate([_array(torch.as_tensor(part)) for part in parts])
        except Exception as error:  # whatever a function of the user's may raise
            raise UsageError(
                f"--features {self._named} failed: {type(error).__name__}: {error}; VAEMON_DEBUG=1 tells where"
            ) from error
        if rows.ndim != 2 or len(rows) != sum(map(len, block)):
            raise UsageError(
                f"--features {self._named} gave an array of shape {rows.shape}; (images, features) is needed"
            )
        return rows


def _array(values: Any) -> Rows:
    return np.asarray(values.detach().float().cpu().numpy())
