"""What was found of each dashboard, as a table, and against what was asked of vaemon."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import median

from dashboards import FLOOR, VAEMON
from tables import Bars, number, print_note, print_table


@dataclass
class Live:
    """What went to the terminal, and what it took."""

    bytes_a_second: float
    cpu_percent: float
    peak_mb: float


@dataclass
class Found:
    """The figures of one dashboard; those that were not to be had are missing, with the reason in `why`."""

    painted: list[float] = field(default_factory=list)
    """Seconds from exec to header and titles, a start each."""
    shown: list[float] = field(default_factory=list)
    """Seconds from first paint to all data, a start each."""
    cpu: list[float] = field(default_factory=list)
    """CPU seconds from exec to all data, a start each: what a loaded machine changes least."""
    peak: list[float] = field(default_factory=list)
    disk: float | None = None
    live: dict[str, Live] = field(default_factory=dict)
    keys: dict[str, list[float]] = field(default_factory=dict)
    unanswered: int = 0
    idle: Live | None = None
    why: list[str] = field(default_factory=list)


def report(found: Mapping[str, Found]) -> None:
    """The table, the bars, and what could not be had."""
    floor = found.get(FLOOR.name)
    lines = [(title, [cell(each, floor) for each in found.values()]) for title, cell in ROWS]
    print_table("Dashboards: 64 latents, 50,000 steps", ("", *found), [(title, *cells) for title, cells in lines])
    if VAEMON.name in found:
        bars = Bars()
        judge(bars, found[VAEMON.name], floor)
        bars.print()
    for name, each in found.items():
        for line in dict.fromkeys(each.why):
            print_note(f"{name}: {line}.")
        if each.unanswered:
            print_note(f"{name}: {each.unanswered} keys had no answer within 5 s.")


def ratio(found: Found, floor: Found | None) -> float:
    """First paint in that of the empty app: median of the rounds' ratios."""
    if floor is None:
        return float("nan")
    ratios = [mine / least for mine, least in zip(found.painted, floor.painted, strict=False)]
    return median(ratios) if ratios else float("nan")


def _spread(values: list[float]) -> str:
    return f"{number(median(values))} / {number(min(values))}" if values else "-"


def _live(found: Found, name: str) -> str:
    live = found.live.get(name)
    return f"{number(live.bytes_a_second / 1e3, 2)}, {number(live.cpu_percent, 2)}" if live else "-"


def _keys(found: Found, run: str) -> str:
    took = found.keys.get(run)
    return f"{number(median(took))} / {number(max(took))}" if took else "-"


def _idle(found: Found) -> str:
    return f"{number(found.idle.bytes_a_second)}, {number(found.idle.cpu_percent, 2)}" if found.idle else "-"


def _memory(found: Found) -> float:
    return max([*found.peak, *(each.peak_mb for each in found.live.values())], default=float("nan"))


ROWS = (
    ("file on disk, MB", lambda found, _: "-" if found.disk is None else number(found.disk)),
    ("first paint, s: median / min", lambda found, _: _spread(found.painted)),
    ("first paint, in those of the empty app", lambda found, floor: number(ratio(found, floor), 2)),
    ("all data shown after it, s", lambda found, _: _spread(found.shown) if found.disk else "-"),
    ("CPU until then, s", lambda found, _: _spread(found.cpu)),
    ("most memory, MB", lambda found, _: number(_memory(found))),
    ("live, 120x40: kB/s, % of a core", lambda found, _: _live(found, "120x40")),
    ("live, 200x50: kB/s, % of a core", lambda found, _: _live(found, "200x50")),
    ("live from the first row, 120x40: kB/s, % of a core", lambda found, _: _live(found, "new")),
    ("key to first byte, live, ms: median / max", lambda found, _: _keys(found, "live")),
    ("key to first byte, finished run, ms: median / max", lambda found, _: _keys(found, "finished")),
    ("finished run: bytes/s, % of a core", lambda found, _: _idle(found)),
)


def judge(bars: Bars, found: Found, floor: Found | None) -> None:
    """What was asked of vaemon."""
    bars.at_most("file on disk", found.disk or float("nan"), 20, "MB")
    bars.at_most("first paint, in those of the empty app", ratio(found, floor), 1.3, "×")
    bars.at_most("all data shown after first paint, median", median(found.shown or [float("nan")]), 1, "s")
    bars.at_most("most memory", _memory(found), 120, "MB")
    for name, most_bytes, most_cpu in (("120x40", 8e3, 3), ("200x50", 16e3, 5), ("new", 8e3, 3)):
        if live := found.live.get(name):
            where = "from the first row" if name == "new" else name
            bars.at_most(f"live, {where}", live.bytes_a_second / 1e3, most_bytes / 1e3, "kB/s")
            bars.at_most(f"live, {where}", live.cpu_percent, most_cpu, "% of a core")
    if took := found.keys.get("live"):
        bars.at_most("key to first byte, live, median", median(took), 50, "ms")
        bars.at_most("key to first byte, live, worst", max(took), 120, "ms")
    if found.idle:
        bars.at_most("finished run", found.idle.bytes_a_second, 0, "bytes/s")
        bars.at_most("finished run", found.idle.cpu_percent, 0.5, "% of a core")
