"""The report of a run as CSV: a row for each latent and origin."""

import csv
import io

from analysis.report import Report, to_json

KEYS = ("origin", "step", "epoch", "latent", "inactive")


def to_csv(report: Report) -> str:
    """The latents of a report as text; what is not known is empty."""
    told = to_json(report)
    parts = [told[part.origin.kind] for part in report.parts]
    columns = [column.name for column in report.parts[0].columns]
    text = io.StringIO()
    table = csv.DictWriter(text, [*KEYS, *columns], lineterminator="\n")
    table.writeheader()
    for part in parts:
        origin = {"origin": part["origin"]["kind"], "step": part["origin"]["step"], "epoch": part["origin"]["epoch"]}
        table.writerows(origin | latent for latent in part["latents"])
    return text.getvalue()
