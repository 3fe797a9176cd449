"""The networks of a run as they were last saved, ready to encode and decode."""

import hashlib
from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from trainer.balance.registry import build_balance
from trainer.balance.strategy import Plan
from trainer.checkpoint import RestoredVAE, explained, load, path_of, restore_vae
from trainer.config import Config, to_tree
from trainer.data.images import Images
from trainer.density import Mixture, load_mixture
from trainer.density import path_of as path_of_density
from trainer.images import load_images_of_run
from trainer.networks.vae import VAE, images_to_input
from trainer.options import DETERMINISTIC, LEARNED_PRIOR, SINGLE_STAGE, WITHOUT_PRIOR
from trainer.posteriors import CHUNK
from trainer.precision import exactly
from trainer.stages import planned_steps
from vaemon.errors import RunFileError, UsageError, VaemonError

Array = npt.NDArray[np.float32]
Told = Callable[[int, int], None]
"""Takes how many images are done, and of how many."""

BLOCK = CHUNK
"""Images a block."""


def untold(done: int, total: int) -> None:
    """Tell nobody."""


class Trained:
    """What a run has learned. All arrays that come out are float32 and on the host."""

    def __init__(self, run_folder: Path, data: Path | None = None) -> None:
        """Restore the first stage; the rest is read when it is first asked for.

        Args:
            run_folder: the run's.
            data: where the images are, if not where the run was trained from.

        Raises:
            UsageError: the run has no checkpoint.
            RunFileError: it is damaged, or has weights that are not finite.
        """
        self.folder = run_folder
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.first = self._restored(1)
        self._data = data

    @property
    def config(self) -> Config:
        """What the run was set to."""
        return self.first.config

    @property
    def latents(self) -> int:
        """How many the first stage has, k."""
        return self.first.model.latents

    @property
    def shape(self) -> tuple[int, int, int]:
        """Of an image, (H, W, C)."""
        return self.first.shape

    @property
    def is_deterministic(self) -> bool:
        """Whether its codes have no posterior: a regularised or a Wasserstein autoencoder."""
        return self.config.balance.name in DETERMINISTIC

    @property
    def has_prior(self) -> bool:
        """Whether its codes have a prior; those of a regularised autoencoder have a density fitted to them instead."""
        return self.config.balance.name not in WITHOUT_PRIOR

    @property
    def has_normal_prior(self) -> bool:
        """Whether that prior is N(0, I), by which its latents can be judged and moved."""
        return self.has_prior and self.config.balance.name not in LEARNED_PRIOR

    @property
    def steps(self) -> tuple[int, int]:
        """Steps that the two stages were trained for."""
        return self.first.step, self.second.step

    def step_of(self, stage: int) -> int:
        """Steps that a stage was trained for."""
        return (self.second if stage == 2 else self.first).step

    @property
    def has_second(self) -> bool:
        """Whether there is a second stage."""
        return self.config.balance.name not in SINGLE_STAGE and path_of(self.folder, 2).exists()

    def made_by(self, stage: int) -> str:
        """A checksum of what makes the images of a stage, as it was read; the files may have become newer."""
        found = hashlib.sha256(repr(to_tree(self.config)).encode())
        for network in (self.first, self.second) if stage == 2 else (self.first,):
            for name, values in network.model.state_dict().items():
                found.update(name.encode())
                found.update(values.cpu().numpy().tobytes() if isinstance(values, Tensor) else repr(values).encode())
        if stage == 2:
            found.update(repr(self.sampling_noise).encode())
        return found.hexdigest()

    @cached_property
    def second(self) -> RestoredVAE:
        """The second stage.

        Raises:
            UsageError: there is none; the message says how to come by one.
            RunFileError: as of the first.
        """
        name = self.folder.name
        if self.config.balance.name in SINGLE_STAGE:
            kind, source = self._kind()
            raise UsageError(
                f"run {name!r} is a {kind} autoencoder ({self.config.balance.name}), which has no second stage: "
                f"--stage 1 samples from the {source}"
            )
        if not path_of(self.folder, 2).exists():
            how = "" if self.config.stage2.enabled else " --set stage2.enabled=true"
            raise UsageError(
                f"run {name!r} has no second stage (yet): `vaemon train PRESET --run {name} --resume{how}` trains one; "
                "--stage 1 samples from the prior"
            )
        return self._restored(2)

    @cached_property
    def sampling_noise(self) -> float | None:
        """γ_z, the standard deviation of a second-stage sample about ẑ; None where the mean is the sample.

        Raises:
            UsageError: there is no second stage.
            RunFileError: its checkpoint lacks the state of the balance, has that of another, or γ_z is not finite.
        """
        state = load(self.folder, 2)
        assert state is not None  # `second` has been there
        settings, each = self.second.config.stage2, state["steps_per_epoch"]
        balance = build_balance(self.config.balance, Plan(planned_steps(settings, each), each))
        with explained(self.folder, 2):
            balance.load_state_dict(state["balance"])
        noise = balance.sampling_noise
        if noise is None:
            return None
        deviation = float(noise)
        if not np.isfinite(deviation):
            raise _not_finite(path_of(self.folder, 2), "γ_z")
        return deviation

    @cached_property
    def density(self) -> Mixture:
        """Of the codes of a regularised autoencoder.

        Raises:
            UsageError: there is none yet.
            RunFileError: it is damaged.
        """
        found = load_mixture(self.folder)
        if found is None:
            raise UsageError(
                f"run {self.folder.name!r} has no density of its codes yet, {path_of_density(self.folder)}; `vaemon "
                "train` fits one after 1, 2, 4, 8, … epochs and at the end: train it further with --resume"
            )
        if found.means.shape[1] != self.latents:
            raise RunFileError(
                f"the density {path_of_density(self.folder)} is of {found.means.shape[1]} latents, the network has "
                f"{self.latents}; it belongs to another run"
            )
        return found

    @cached_property
    def mixture(self) -> tuple[Array, Array]:
        """μ and log σ² of the posteriors that a learned prior is made of, each (K, k)."""
        with exactly():
            found = self.first.model.mixture()
        assert found is not None  # it has a learned prior
        return _array(found.mean), _array(found.log_variance)

    @cached_property
    def images(self) -> Images:
        """Those the run was trained and tested on.

        Raises:
            DataNotFound: they are not there, or not those that the network was trained on.
            UsageError: the run's images are built in, and a path was given.
        """
        return load_images_of_run(self.config, self.shape, self._data)

    def encode(self, images: npt.NDArray[np.uint8]) -> tuple[Array, Array]:
        """μ and log σ² of images (n, H, W, C), each (n, k)."""
        with exactly():
            posterior = self.first.model.encode(images_to_input(torch.from_numpy(images).to(self.device)))
        return _array(posterior[0]), _array(posterior[1])

    def decode(self, z: npt.NDArray[Any]) -> Array:
        """Images of latents (n, k): (n, H, W, C) in [0, 1].

        Raises:
            VaemonError: values of some are not finite.
        """
        with exactly():
            x = _array(self.first.model.decode(self._tensor(z)).clamp(0.0, 1.0).permute(0, 2, 3, 1))
        if bad := int((~np.isfinite(x).all(axis=(1, 2, 3))).sum()):
            raise VaemonError(
                f"{bad} of {len(x)} images that run {self.folder.name!r} decodes are not finite; its training went "
                "bad, or its second stage's did: train anew, with a lower learning rate"
            )
        return x

    def decode_second(self, u: npt.NDArray[Any]) -> Array:
        """What second-stage latents u (n, k) stand for: ẑ, (n, k)."""
        with exactly():
            return _array(self.second.model.decode(self._tensor(u)))

    def encode_second(self, z: npt.NDArray[Any]) -> tuple[Array, Array]:
        """μ and log σ² of the second stage for latents z (n, k), each (n, k)."""
        with exactly():
            posterior = self.second.model.encode(self._tensor(z))
        return _array(posterior[0]), _array(posterior[1])

    def posteriors(self, count: int | None = None, told: Told = untold) -> Iterator[tuple[Array, Array]]:
        """μ and log σ² of the first `count` test images, by default of all, in blocks of (n, k)."""
        images = self.images.test[:count]
        for start in range(0, len(images), BLOCK):
            yield self.encode(images[start : start + BLOCK])
            told(min(start + BLOCK, len(images)), len(images))

    def _kind(self) -> tuple[str, str]:
        """Which autoencoder of a single stage it is, and what it is sampled from."""
        if self.is_deterministic:
            return ("Wasserstein", "prior") if self.has_prior else ("regularised", "density of its codes")
        return "variational", "prior that it has learned"

    def _tensor(self, values: npt.NDArray[Any]) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(values, np.float32)).to(self.device)

    def _restored(self, stage: int) -> RestoredVAE:
        restored = restore_vae(self.folder, stage)
        _check_finite(restored.model, path_of(self.folder, stage))
        restored.model.to(self.device, memory_format=torch.channels_last)
        return restored


def _check_finite(model: VAE, path: Path) -> None:
    for name, values in (*model.named_parameters(), *model.named_buffers()):
        if values.is_floating_point() and not bool(torch.isfinite(values).all()):
            raise _not_finite(path, name)


def _not_finite(path: Path, name: str) -> RunFileError:
    return RunFileError(
        f"the checkpoint {path} has values that are not finite ({name}): the training had gone bad before it was "
        "saved; train anew with a lower learning rate, or put an earlier copy of the file there"
    )


def _array(values: Tensor) -> Array:
    return np.ascontiguousarray(values.float().cpu().numpy())
