"""What a renormalisation does, as a table for people and as lines of CSV."""

from rich.console import Console
from rich.table import Table

from analysis.columns import word
from analysis.generate.renormalisation import FITTED_TO, AsPublished
from analysis.generate.report import Found, to_json
from analysis.measures.renormalisation import PUBLISHED_RULE
from analysis.render import drawn, table_without_lines


def to_text(found: Found, width: int) -> str:
    """The report: a table of latents, the least variance first, then what it comes to.

    Args:
        found: the report.
        width: columns that a line may take.
    """

    def draw(console: Console) -> None:
        console.print(f"{found.run} · second stage · renormalised {found.found.name}")
        steps = " and ".join(f"{each:,}" for each in found.found.steps)
        console.print(f"steps {steps} · fitted to {FITTED_TO:,} samples, tried on as many others\n")
        console.print(_table(found))
        for line in _summary(found):
            console.print(line)

    return drawn(draw, width)


def _table(found: Found) -> Table:
    table = table_without_lines()
    for label in ("latent", "Var before", "target", "factor", "Var after"):
        table.add_column(label, justify="right")
    for i in found.before.argsort(kind="stable"):
        values = (found.before[i], found.target[i], found.factor[i], found.variance[i])
        table.add_row(str(i), *(f"{each:.3f}" for each in values))
    return table


def _summary(found: Found) -> list[str]:
    lines = [
        "",
        f"mean variance          {found.before.mean():.3f} before, {found.variance.mean():.3f} after",
        f"variance lacking       {found.shortfall.mean():+.3f} in the mean, at most {found.shortfall.max():+.3f}",
        f"factor                 {found.factors.mean():.4f} ± {found.factors.std():.4f} over "
        + (f"{len(found.factors)} batches of 100" if isinstance(found.found, AsPublished) else "the latents"),
    ]
    if isinstance(found.found, AsPublished):
        sign, outcome = (">", "renormalised") if found.found.fires else ("≤", "left as they are")
        lines += [
            f"the published rule     (mean Var[μ] - mean Var[ẑ]) / mse(μ, ẑ) = {found.found.loss:.3f} {sign} "
            f"{PUBLISHED_RULE:g}: {outcome}",
            f"target deviation       root of the mean of Var[μ] + E[σ] = {found.found.target:.4f}",
        ]
    if still := int((found.before == 0).sum()):
        lines.append(f"{still} latents do not vary at all, and are left as they are")
    if found.path:
        lines += ["", f"Kept in {found.path}; `vaemon sample {found.run} --renormalize` applies it."]
    return lines


def figures(found: Found) -> dict[str, float]:
    """The figures over all latents, by the names that CSV has; those of the published rule only where it was asked."""
    told = to_json(found)
    single = {name: told[name] for name in ("mean_before", "mean_shortfall", "mean_after")}
    return single | {f"factor_{name}": value for name, value in told["factor"].items()} | (told["published"] or {})


def to_csv_lines(found: Found) -> list[tuple[str, ...]]:
    """What `analysis.columns.COLUMNS` name, a line a value, exact; no run belongs to a group here."""
    before = (found.run, "2", "checkpoint", str(found.found.steps[1]), "renormalize")
    ungrouped = ("", "")
    lines: list[tuple[str, ...]] = [
        (*before, "", name, word(value), *ungrouped) for name, value in figures(found).items()
    ]
    for each in to_json(found)["latents"]:
        lines += [
            (*before, str(each["latent"]), name, word(value), *ungrouped)
            for name, value in each.items()
            if name != "latent"
        ]
    return lines
