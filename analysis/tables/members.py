"""The runs that a table is of: what each was evaluated at, what it ended with, and how it was set up."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from analysis.inputs import read_stream, woke_steps
from analysis.kept import kept
from vaemon import latents
from vaemon.batch import RunInfo, StageInfo, Want
from vaemon.errors import SourceLost, VaemonError
from vaemon.evaluations import Evaluation, evaluations
from vaemon.latents import LatentState
from vaemon.source.protocol import Source
from vaemon.view.state import RunView
from vaemon.view.whole import whole

SAMPLED = ("REC", "GEN-1", "GEN-2")
"""Fréchet distances, which need features of images: of reconstructions, and of samples of either stage."""
RENORMALISED = "GEN-2 renormalised"
RECIPE = "asperti"
"""What distances must be made by to stand beside the paper's."""
MIXTURE = "GEN-GMM"
"""What a regularised autoencoder has in the place of a second stage; of its prior it is not sampled."""
REGULARISED = "rae-"
"""How the balances of regularised autoencoders begin."""


@dataclass(frozen=True, eq=False, slots=True)
class Member:
    """One run."""

    name: str
    info: RunInfo
    by_epoch: Mapping[float, Mapping[str, float]] = field(default_factory=dict)
    """What stage 1 was evaluated to after so many epochs, rising; GEN-2 of the last epoch is that of stage 2."""
    final: Mapping[str, float] = field(default_factory=dict)
    """What it ended with: its last evaluation, and the counts of its latents over the last epoch recorded."""

    @property
    def epochs(self) -> float:
        """Of stage 1, at the last evaluation; NaN where there is none, or its epoch is not known."""
        return max(self.by_epoch, default=math.nan)

    @property
    def planned(self) -> float:
        """Epochs of stage 1; NaN where nobody knows."""
        stage = self.info.stage(1)
        return _epochs(stage.total_steps, stage) if stage is not None else math.nan

    @property
    def has_second(self) -> bool:
        """Whether a second stage is planned."""
        return bool(self.setting("stage2", "enabled"))

    @property
    def obtainable(self) -> tuple[str, ...]:
        """Which of SAMPLED `vaemon analyze --fid` computes: of a run of this machine, with a checkpoint."""
        if self.info.place or not (Path(self.info.address) / "checkpoints").is_dir():
            return ()
        if str(self.setting("balance", "name")).startswith(REGULARISED):
            return ("REC", "GEN-2")
        return SAMPLED if self.has_second else SAMPLED[:2]

    def setting(self, *keys: str) -> Any:
        """A value of the run's config, by the keys that lead to it; None where it does not say."""
        found: Any = self.info.config
        for key in keys:
            found = found.get(key) if isinstance(found, Mapping) else None
        return found


def members(sources: Iterable[tuple[str, Source]]) -> list[Member]:
    """What the runs tell, each once; those of one name go by the names that come with them, which differ."""
    read = [(apart, read_member(source)) for apart, source in sources]
    found = {member.info.address: (apart, member) for apart, member in read}
    names = [member.name for _, member in found.values()]
    return [
        member if names.count(member.name) == 1 else replace(member, name=apart) for apart, member in found.values()
    ]


def read_member(source: Source) -> Member:
    """One run, as far as it has come."""
    view = whole(source.poll, Want((), columns=0, stage=1))
    assert view.info is not None
    told = evaluations(view.events)
    stage = view.info.stage(1)
    if stage is None:
        return Member(view.info.title, view.info)
    by_epoch = _by_epoch([each for each in told if each.stage == 1], stage)
    later = {name: value for each in told if each.stage == 2 for name, value in each.values.items()}
    sampled = {name: later[name] for name in (*SAMPLED, RENORMALISED) if name in later}
    if by_epoch:
        last = max(by_epoch)
        by_epoch[last] = {**sampled, **by_epoch[last]}
    _add_kept(by_epoch, view.info, stage)
    final = {**(by_epoch[max(by_epoch)] if by_epoch else sampled), **_counts(source, stage, view)}
    return Member(view.info.title, view.info, by_epoch, final)


def _by_epoch(told: Iterable[Evaluation], stage: StageInfo) -> dict[float, dict[str, float]]:
    """The values of each epoch."""
    found: dict[float, dict[str, float]] = {}
    for each in told:
        epoch = each.values.get("epoch", _epochs(each.step, stage))
        if math.isfinite(epoch):
            found[epoch] = _with_mixture({**found.get(epoch, {}), **each.values})
    return dict(sorted(found.items()))


def _add_kept(by_epoch: dict[float, dict[str, float]], info: RunInfo, stage: StageInfo) -> None:
    """Add the distances found afterwards by the paper's recipe to their epochs.

    Those of an evaluation go before, then those of more images.
    """
    if info.place:  # on another machine, whose files are not read
        return
    for found in sorted(kept(Path(info.address)), key=lambda each: each.images, reverse=True):
        epoch = _epochs(found.step, stage)
        if found.recipe == RECIPE and math.isfinite(epoch):
            by_epoch[epoch] = _with_mixture({**found.values, **by_epoch.get(epoch, {})})


def _with_mixture(values: dict[str, float]) -> dict[str, float]:
    """A mixture's samples stand for GEN-2, which a regularised autoencoder does not have."""
    return {"GEN-2": values[MIXTURE], **values} if MIXTURE in values else values


def _counts(source: Source, stage: StageInfo, view: RunView) -> dict[str, float]:
    """What `vaemon analyze --inactive` counts in the recorded stream, and how far stage 1 has come."""
    assert view.info is not None
    found = {"step": float(view.latest.step), "epoch": float(view.latest.epoch)} if view.latest is not None else {}
    found["latents"] = float(stage.latents)
    try:
        posterior = read_stream(source, stage)
    except SourceLost:
        raise
    except VaemonError:  # it did not record them, or has none
        return found
    at = view.info.thresholds
    states = latents.states(posterior.mean_variance, posterior.kl, woke_steps(source, stage) >= 0, at)
    found |= {state.name.lower(): float((states == state).sum()) for state in LatentState}
    found["inactive"] = float(latents.inactive(posterior.mean_variance, at.inactive).sum())
    if not np.isnan(posterior.mu_variance).any():
        found["active_units"] = float(latents.active_units(posterior.mu_variance, at.unit).sum())
    return found


def _epochs(steps: int | None, stage: StageInfo) -> float:
    return steps / stage.steps_per_epoch if steps and stage.steps_per_epoch else math.nan
