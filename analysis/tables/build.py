"""A table of Asperti & Trentin 2020 from its runs, and what is to be said below it."""

import math
from collections.abc import Sequence

from analysis.tables.choice import of_one_data_set, unlike
from analysis.tables.kinds import KINDS
from analysis.tables.members import SAMPLED, Member
from analysis.tables.published import printed, published
from analysis.tables.shape import Line, Table, in_order, lines_of
from vaemon.errors import VaemonError

EVALUATED = (
    "Figures of runs are those of their evaluations (of `vaemon train`: over all test images, or evaluation.images of "
    "them; the paper's are over 10,000), ± is the deviation by n - 1."
)
COUNTED = "Inactive latents of runs are those of the recorded stream, over the last epoch, as of --inactive."


def build(number: int, found: Sequence[Member]) -> Table:
    """A table of these runs, and as the paper prints it.

    Args:
        number: 1 to 5.
        found: the runs, at least one.

    Raises:
        UsageError: they are of several data sets, none of them the table's.
        VaemonError: there is nothing of them to fill it with.
    """
    kind = KINDS[number]
    chosen, beside, notes = of_one_data_set(found, kind.data)
    given = {member.name: list(kind.of_run(member)) for member in chosen}
    lines = lines_of(((name, entry) for name, entries in given.items() for entry in entries), kind.columns)
    if not lines:
        raise VaemonError(
            f"nothing for table {number} in {', '.join(given)}: no evaluation of a known epoch"
            + (", or no stage1.lr in its config" if number == 5 else "")
            + "; `vaemon train` makes evaluations, your own training by recorder.evaluation(mse=…) and "
            "Recorder(…, steps_per_epoch=…)"
        )
    return Table(
        number=number,
        title=kind.title if beside else kind.title.partition(", ")[2].capitalize(),
        headings=kind.headings,
        columns=kind.columns,
        lines=in_order([*lines, *(_paper(number) if beside else [])]),
        runs=tuple(given),
        notes=(
            *notes,
            *_standing(chosen),
            *_without([name for name, entries in given.items() if not entries]),
            *unlike([[each for each in chosen if each.name in line.runs] for line in lines]),
            EVALUATED,
            *([COUNTED] if "inactive" in kind.columns else []),
            *(published(number).notes if beside else ()),
        ),
        lacking=tuple(
            name
            for name in SAMPLED
            if name in kind.columns and any(name in each.obtainable and name not in each.final for each in chosen)
        ),
    )


def _paper(number: int) -> list[Line]:
    kind = KINDS[number]
    return [
        Line(*kind.of_paper(row, i), values=printed(row, kind.columns)) for i, row in enumerate(published(number).rows)
    ]


def _standing(found: Sequence[Member]) -> list[str]:
    early = [
        f"{each.name} {each.epochs:g} of {each.planned:g} epochs ({each.info.state})"
        for each in found
        if not math.isnan(each.epochs) and each.epochs < each.planned
    ]
    return [f"Not all is trained and evaluated yet: {', '.join(early)}."] if early else []


def _without(names: Sequence[str]) -> list[str]:
    return [f"Nothing for this table in {', '.join(names)}."] if names else []
