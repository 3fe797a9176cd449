"""One question to one report: the stream's part and the checkpoint's, or why one of them is missing; or that of arrays.

Knows no command line and no tables; usable from Python:

    answer(open_source("run42"), Question())
    answer_of_arrays("posterior.npz", Question())
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from analysis.arrays import read_posterior
from analysis.catalogue import REPORTS, examine
from analysis.inputs import PosteriorStatistics, read_stream, stage_of, woke_steps
from analysis.report import Factors, Part, Report
from analysis.rules import DEFAULT as RULES
from analysis.rules import Rules
from analysis.subject import Subject
from vaemon.batch import RunInfo, StageInfo
from vaemon.channels import not_defined
from vaemon.errors import SourceLost, UsageError, VaemonError
from vaemon.source.protocol import Source
from vaemon.thresholds import NAMES as THRESHOLDS
from vaemon.thresholds import Thresholds

Told = Callable[[int, int], None]
"""Takes how many images are encoded, and of how many."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of a run."""

    reports: tuple[str, ...] = tuple(REPORTS)
    stage: int = 1
    thresholds: Mapping[str, float] = field(default_factory=dict)
    """Thresholds and rules by name, where not the run's own. Wakes are found anew where the source has them, too."""
    as_published: bool = False
    """Judge by the published code's definitions, where E[σ] is known."""
    checkpoint: bool = True
    """Whether the checkpoint's part is wanted; it takes torch and the images."""
    data: Path | None = None
    """Where the images are, if not where the run was trained from."""

    def judged_by(self, own: Thresholds) -> Thresholds:
        """A run's thresholds with those asked for in their place. Raises UsageError where they make no sense."""
        return own.changed({name: value for name, value in self.thresholds.items() if name in THRESHOLDS})

    def check(self) -> None:
        """Raise UsageError where a value makes no sense, before anything is opened."""
        self.judged_by(Thresholds())
        _ = self.rules

    @property
    def rules(self) -> Rules:
        """The rules asked for. Raises UsageError where a value makes no sense."""
        return RULES.changed(self.thresholds)


def answer(source: Source, question: Question, told: Told = lambda done, total: None) -> Report:
    """Everything asked that can be had.

    Raises:
        UnknownName: the run has no such stage.
        DataNotFound: `question.data` is given, but is not what the run needs.
        VaemonError: neither the stream nor a checkpoint gives anything, or what is asked is not defined for the run's
            kind of model.
    """
    info = source.info()
    info = replace(info, thresholds=question.judged_by(info.thresholds))
    stage = stage_of(info, question.stage)
    _refuse_undefined(info)
    missing: dict[str, str] = {}
    stream = _stream_part(source, info, stage, question, missing)
    checkpoint = _checkpoint_part(source, info, stage, question, missing, told) if question.checkpoint else None
    if stream is None and checkpoint is None:
        raise VaemonError(f"nothing to analyze in run {info.name!r}: {'; '.join(missing.values())}")
    return Report(
        run=info.name,
        address=info.address,
        state=str(info.state),
        stage=stage.number,
        latents=stage.latents,
        threshold=info.thresholds.inactive,
        as_published=question.as_published,
        reports=question.reports,
        stream=stream,
        checkpoint=checkpoint,
        missing=missing,
        notes=tuple(_notes(question, stream, checkpoint)),
        factors=_factors(info, stage, stream or checkpoint),
    )


def answer_of_arrays(path: Path, question: Question) -> Report:
    """What posteriors in a file give: everything but what training tells, such as wakes.

    Raises:
        UsageError: the file is not there, or does not hold posteriors; the sentence says what it lacks.
    """
    posterior = read_posterior(path, question.rules.epsilon)
    at = question.judged_by(Thresholds())
    latents = len(posterior.mean_variance)
    subject = Subject(posterior, np.full(latents, -1), at.inactive, question.as_published, at, question.rules)
    part = examine(subject, question.reports)
    return Report(
        run=path.name,
        address=str(path),
        state="",
        stage=0,
        latents=latents,
        threshold=at.inactive,
        as_published=question.as_published,
        reports=question.reports,
        stream=None,
        checkpoint=None,
        missing={},
        notes=tuple(_notes(question, part)),
        posterior=part,
    )


def _refuse_undefined(info: RunInfo) -> None:
    """Every report judges posteriors by N(0, I); others would still give numbers."""
    if why := not_defined(info.config, "mean_variance"):
        raise VaemonError(
            f"run {info.name!r}: {', '.join(REPORTS)} are {why}, which has no posteriors with the prior N(0, I)"
        )


def _stream_part(
    source: Source, info: RunInfo, stage: StageInfo, question: Question, missing: dict[str, str]
) -> Part | None:
    try:
        posterior = read_stream(source, stage)
    except SourceLost:
        raise
    except VaemonError as error:
        missing["stream"] = str(error)
        return None
    subject = _subject(posterior, woke_steps(source, stage), info, question)
    return examine(replace(subject, as_published=False), question.reports)


def _checkpoint_part(
    source: Source, info: RunInfo, stage: StageInfo, question: Question, missing: dict[str, str], told: Told
) -> Part | None:
    posterior = _encoded(info, question, told)
    if isinstance(posterior, str):
        missing["checkpoint"] = posterior
        return None
    woke = woke_steps(source, stage, until=posterior.origin.step)
    return examine(_subject(posterior, woke, info, question), question.reports)


def _subject(posterior: PosteriorStatistics, woke: np.ndarray[Any, Any], info: RunInfo, question: Question) -> Subject:
    at = info.thresholds
    return Subject(posterior, woke, at.inactive, question.as_published, at, question.rules)


def _encoded(info: RunInfo, question: Question, told: Told) -> PosteriorStatistics | str:
    """The posteriors of the test set, or why they cannot be had."""
    folder = Path(info.address)
    if not folder.is_dir():
        return "the run lies on another machine; analyze it there"
    if not (folder / "checkpoints").is_dir():
        return "the run has none; `vaemon train` saves one"
    try:
        from analysis.encode import Checkpoint
    except ImportError as error:
        return f"{error.name} is not installed; pip install 'vaemon[train]'"
    try:
        checkpoint = Checkpoint(folder, stage=question.stage)
    except VaemonError as error:
        return str(error)
    try:
        return checkpoint.encode_test_set(question.data, told, question.rules.epsilon)
    except UsageError as error:
        if question.data is not None:
            raise
        return str(error)


def _notes(question: Question, *parts: Part | None) -> Iterator[str]:
    there = [part for part in parts if part is not None]
    kinds = [part.origin.kind for part in there]
    if question.as_published and "stream" in kinds:
        yield (
            "The stream does not record E[σ], so its figures are by the paper's definitions"
            + ("." if "checkpoint" in kinds else "; as published needs a checkpoint.")
        )
    for part in there:
        where = part.origin.kind
        if part.origin.lacking:
            yield f"The {where} lacks {', '.join(part.origin.lacking)}; what would follow from them is not known."
        if part.origin.left_out and where == "stream":
            yield (
                f"In {part.origin.left_out:,} of the {part.origin.samples:,} rows of the {where} a latent was not "
                "finite; its means are over the other rows."
            )
        elif part.origin.left_out:
            yield f"{part.origin.left_out:,} further samples in which a latent was not finite are left out."
        lost = np.flatnonzero(~np.isfinite(part.column("mean_variance").values))
        if len(lost):
            listed = ", ".join(str(i) for i in lost[:8]) + (", …" if len(lost) > 8 else "")
            yield f"No finite E[σ²] in the {where} for {len(lost)} of {len(part.inactive)} latents: {listed}."


def _factors(info: RunInfo, stage: StageInfo, part: Part | None) -> Factors | None:
    """What the shapes were rendered from, beside the latents of the first stage; None for other images."""
    told = info.config.get("factors")
    if part is None or stage.number != 1 or not told or info.config.get("data", {}).get("name") != "shapes":
        return None
    names = tuple(map(str, told)) if isinstance(told, Sequence) and not isinstance(told, str) else ()
    return Factors(
        count=len(names) or int(told),
        names=names,
        woken=int((part.column("woke_at").values >= 0).sum()),
        active=int((part.column("state").values == "active").sum()),
    )
