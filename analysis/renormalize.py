"""`vaemon analyze RUN --renormalize`: its options, and its report as text.

Imports nothing heavy before it is called, as analysis/command.py.
"""

import functools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from analysis.alone import answer_each, finish, one_form, print_lines, print_objects, print_text, refuse_others, say
from vaemon.errors import UsageError, VaemonError

if TYPE_CHECKING:
    from analysis.failing import Told
    from analysis.generate.renormalisation import Kind, Target
    from analysis.generate.report import Found

_GO_WITH = {"run", "runs", "data", "as_json", "as_csv", "as_published", "renormalize", "target", "conditions"}
"""Parameters of the command that this report takes notice of."""
NAMES = (
    *("mean_before", "mean_shortfall", "mean_after", "factor_mean", "factor_deviation"),
    *("target_deviation", "variance_loss", "rule", "fires", "batches"),
)
"""What --fail-if may name; those of the second line are there only as published."""
_OPTIONS = (
    click.option(
        "--renormalize",
        is_flag=True,
        help="Stretch the second stage's latents to the variance they lack; kept for `vaemon sample --renormalize`.",
    ),
    click.option(
        "--target",
        type=click.Choice(("1", "law")),
        help="With --renormalize: a variance of 1, the default, or each latent's own E[μ²] + E[σ²].",
    ),
)


def renormalizing(command: Callable[..., None]) -> Callable[..., None]:
    """Give `vaemon analyze` the options of this report, and answer where it is asked for."""

    @functools.wraps(command)
    def answered(*args: Any, renormalize: bool, target: "Target | None", **options: Any) -> None:
        if not renormalize:
            if target is not None:
                raise UsageError("--target is what --renormalize aims at: say both")
            command(*args, **options)
            return
        refuse_others("renormalize", _GO_WITH)
        one_form(options["as_json"], options["as_csv"])
        if target is not None and options["as_published"]:
            raise UsageError("--as-published has a target of its own: leave out --target")
        from analysis import failing

        parsed = failing.parse(options["conditions"], NAMES, "'mean_after<0.9'")
        kind: Kind = "published" if options["as_published"] else target or "1"
        found, failed = answer_each(
            options["run"], options["runs"], lambda folder: _renormalised(folder, options["data"], kind)
        )
        (_print_json if options["as_json"] else _print_csv if options["as_csv"] else _print_text)(found)
        finish([why for each in found for why in failing.failures(each.run, _told(each), parsed)], failed)

    for option in reversed(_OPTIONS):
        answered = option(answered)
    return answered


def _renormalised(folder: Path, data: Path | None, kind: "Kind") -> "Found":
    """The renormalisation of a run, which is kept in it, too."""
    from analysis.generate.kept import save
    from analysis.generate.renormalisation import fit_kind
    from analysis.generate.report import examine
    from analysis.generate.trained import Trained
    from analysis.render import progress

    trained = Trained(folder, data)
    with progress("encoding the test set") as told:
        new = fit_kind(trained, kind, told)
    try:
        path = str(save(folder, new))
    except VaemonError as error:  # a run of somebody else's may still be looked at
        path = ""
        say(str(error))
    return examine(trained, new, path)


def _told(found: "Found") -> "dict[str, Told]":
    """What --fail-if may name, by name."""
    from analysis.failing import Told
    from analysis.generate.written import figures

    return {name: Told(float(value)) for name, value in figures(found).items()}


def _print_json(found: "Sequence[Found]") -> None:
    from analysis.generate.report import to_json

    print_objects([to_json(each) for each in found])


def _print_csv(found: "Sequence[Found]") -> None:
    from analysis.generate.written import to_csv_lines

    print_lines(line for each in found for line in to_csv_lines(each))


def _print_text(found: "Sequence[Found]") -> None:
    from analysis.generate.written import to_text
    from analysis.terminal import form

    print_text("\n".join(to_text(each, form("").width) for each in found))
