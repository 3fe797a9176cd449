"""What a stage has learned so far: a few figures over test images, and sample images, recorded now and then.

Nothing here draws from a generator that training draws from: a run is the same, bit for bit, with or without it.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from trainer import ranks
from trainer.data.watch import Stopped
from trainer.density import CodeDensity
from trainer.generation import generated
from trainer.networks.vae import VAE, draw, evaluating, images_to_input
from trainer.posteriors import CHUNK
from trainer.stages import EVALUATION, Stage, generator
from trainer.unrecorded import Unrecorded
from vaemon import Recorder, latents
from vaemon.errors import RunFileError, VaemonError
from vaemon.thresholds import Thresholds

Stop = Callable[[], object]
"""Whether to leave off, by any value that is true."""
Measure = Callable[[Stage, VAE, npt.NDArray[np.uint8], torch.Generator, Stop], Mapping[str, float]]
"""A figure or several of a stage as it stands, by name. Is given the stage, the network of stage 1 (both networks in
evaluation mode), the test images (n, H, W, C), noise of its own to draw from, and what to ask now and then where it
takes long: it raises `Stopped` where that says so."""

SHOWN = 64
"""Images of a grid of samples."""
TRAVERSED = 8
"""Latents along which codes are decoded, at most: the most awake."""
PLACES = torch.linspace(-3.0, 3.0, 9)
"""Where along each, in standard deviations of the prior."""


def is_due(stage: Stage, every: int) -> bool:
    """Whether the stage has just trained 1, 2, 4, 8, … epochs, fewer than `every`, or a multiple of it, or all."""
    epochs, rest = divmod(stage.step, stage.steps_per_epoch)
    if rest or not epochs:
        return stage.done
    return stage.done or epochs % every == 0 or (epochs < every and epochs & (epochs - 1) == 0)


class Evaluator:
    """Evaluates the stages of one run, always on the same test images and with the same noise."""

    def __init__(
        self,
        recorder: Recorder | Unrecorded,
        seed: int,
        first: VAE,
        test: npt.NDArray[np.uint8],
        measured: int,
        at: Thresholds,
        density: CodeDensity | None = None,
        stop: Stop = bool,
        measures: Sequence[Measure] = (),
    ) -> None:
        """Evaluate a run.

        Args:
            recorder: of the run.
            seed: of the run; says by chance which images are shown, and measured where not all are.
            first: the network of stage 1, on the device that is trained on.
            test: images (n, H, W, C).
            measured: how many of them the figures are taken over; 0: all.
            at: those by which the run judges its latents.
            density: of the codes, where there is no prior to draw from.
            stop: whether to leave off, asked now and then; the end of a stage is evaluated in any case.
            measures: further figures; they take the names of none of the usual ones.
        """
        self._recorder = recorder
        self._seed = seed
        self._first = first
        # By chance, the same for the seed: the first of a folder per class are all of one class.
        order = torch.randperm(len(test), generator=generator(seed, 1, EVALUATION)).numpy()
        measured = measured or len(test)
        self._test = test if measured >= len(test) else test[np.sort(order[:measured])]
        self._shown = test[np.sort(order[: min(SHOWN, measured)])]
        self._at = at
        self._density = density
        self._stop = stop
        self._measures = measures

    def record_inputs(self) -> None:
        """Record what the reconstructions are of."""
        self._recorder.images("inputs", self._shown, step=0)

    def __call__(self, stage: Stage) -> Mapping[str, float]:
        """Evaluate a stage; asks the device for the figures, and waits for them. No figures where told to stop."""
        noise = generator(self._seed, stage.number, EVALUATION, stage.device)
        # The noise is that of a process alone, so that figures compare whatever the number of those that train.
        with torch.no_grad(), ranks.alone(), evaluating(self._first, stage.network):
            self._record_images(stage, noise)
            figures = self._measure(stage, noise)
            if figures:
                figures = self._with_further(stage, figures)
        if figures:
            self._recorder.evaluation(stage.step, **figures)
        return figures

    def _record_images(self, stage: Stage, noise: torch.Generator) -> None:
        """Record what the networks make of the images shown, and of fixed noise."""
        if stage.number == 2:
            self._recorder.images("GEN-2", generated(stage, self._first, SHOWN, noise), stage.step)
            return
        x = images_to_input(torch.from_numpy(self._shown).to(stage.device))
        mean, log_variance = self._first.encode(x)
        x_hat = self._first.decode(stage.balance.code(mean, log_variance, noise))
        self._recorder.images("reconstructions", x_hat, stage.step)
        if self._density is not None:
            self._record_density(self._density, stage, noise)
            return
        self._recorder.images("GEN-1", generated(stage, self._first, SHOWN, noise), stage.step)
        if not stage.balance.undefined:  # which are awake, only variances tell
            self._record_traversals(stage.step, mean[0], log_variance.exp().mean(0))

    def _record_density(self, density: CodeDensity, stage: Stage, noise: torch.Generator) -> None:
        """Fit the density of the codes, keep it, and show what the decoder makes of its samples."""
        try:
            mixture = density.fit(every=stage.done)
        except RunFileError as error:  # a full disk may be emptied
            self._recorder.event("error", str(error), step=stage.step)
            return
        self._recorder.images("GEN-GMM", self._first.decode(mixture.sample(SHOWN, noise)), stage.step)

    def _record_traversals(self, step: int, code: Tensor, variance: Tensor) -> None:
        """Decode the code of one image, (k,), with one latent after another moved through `PLACES`."""
        awake = [latent for latent in variance.argsort().tolist()[:TRAVERSED] if variance[latent] < self._at.wake]
        for latent in awake:
            codes = code.repeat(len(PLACES), 1)
            codes[:, latent] = PLACES.to(codes)
            self._recorder.images(f"traversal {latent}", self._first.decode(codes), step)

    def _measure(self, stage: Stage, noise: torch.Generator) -> dict[str, float]:
        """The figures of a stage over all images, `CHUNK` of them at a time; none where told to stop."""
        mixture = stage.network.mixture()
        errors, divergences, moments = [], [], torch.zeros(4, stage.network.latents, dtype=torch.float64)
        for start in range(0, len(self._test), CHUNK):
            if not stage.done and self._stop():
                return {}
            x = self._input(start, start + CHUNK, stage)
            if stage.number == 2:
                x = draw(*self._first.encode(x), noise)
            mean, log_variance = stage.network.encode(x)
            z = stage.balance.code(mean, log_variance, noise)
            errors.append((x - stage.network.decode(z)).square().flatten(1).mean(1))
            if mixture is not None:
                divergences.append(mixture.divergence(mean, log_variance, z))
            parts = (log_variance.exp(), mean, mean.square(), log_variance)
            moments += torch.stack(parts).sum(1, dtype=torch.float64).cpu()
        each = torch.cat(errors).double()
        figures = {"mse": each.mean().item()}
        if stage.number == 1:
            figures |= {"mse_min": each.min().item(), "mse_max": each.max().item()}
        if divergences:
            figures["mixture_kl"] = torch.cat(divergences).double().mean().item()
        return figures if stage.balance.undefined else {**figures, **_figures(moments / len(each), self._at)}

    def _with_further(self, stage: Stage, figures: dict[str, float]) -> dict[str, float]:
        """Figures and what the further measures find; one that cannot be taken is told, and costs no training.

        Where told to stop, none, so that a resume evaluates anew; at the end of a stage those that are there.
        """
        found: dict[str, float] = {}
        for measure in self._measures:
            noise = generator(self._seed, stage.number, EVALUATION, stage.device)
            try:
                found |= measure(stage, self._first, self._test, noise, self._stop)
            except VaemonError as error:
                self._recorder.event("error", str(error), step=stage.step)
            except Stopped:
                if not stage.done:
                    return {}
                break
        return {**found, **figures}

    def _input(self, first: int, last: int, stage: Stage) -> Tensor:
        """Some of the test images, as stage 1 takes them."""
        return images_to_input(torch.from_numpy(self._test[first:last]).to(stage.device))


def _figures(moments: Tensor, at: Thresholds) -> dict[str, float]:
    """KL, variance law, inactive latents and active units, from the means of σ², μ, μ² and log σ², (4, k)."""
    mean_variance, mean_mu, mu_squared, mean_log = moments.numpy()
    units = latents.active_units(latents.mu_variance(mean_mu, mu_squared), at.unit)
    return {
        "kl": float(0.5 * (mu_squared + mean_variance - mean_log - 1.0).sum()),
        "variance_law": float((mean_variance + mu_squared).mean()),
        "inactive": int(latents.inactive(mean_variance, at.inactive).sum()),
        "active_units": int(units.sum()),
    }
