"""What a call of `Recorder.log` costs the training loop, on the disk and in memory, beside other ways to record.

    python benchmarks/recorder.py [--steps 10000] [--only tensorboard wandb] [--long [STEPS]] [--device cpu|cuda|auto]

Peers that are not installed are left out: `make bench PEERS=1` makes an environment with all. Nothing is sent anywhere.

A step is five scalars and four float32 vectors of 64 (workload c); vaemon is also measured with one vector of 64 (a)
and one of 1,024 (b), beside a control, the bare copies of those vectors into arrays that exist. Every figure of a
call is of the calling thread, each call timed by itself. Each peer runs in a process of its own, in rounds: so many
steps of the peer, of JSON lines, of vaemon; the ratios are between medians of one process, so that what else the
machine does strikes all alike.

A loop that does nothing but log outruns any writer. `flush()` is therefore called every few thousand steps, outside
of the timed calls; the column "total" has it, and the close. In such a loop the writer is mostly at rest while calls
are timed, so vaemon is also measured "in a 1 ms step": between two calls lies a millisecond of matrix products, and
the writer wakes when it likes.

Exits with 1 where a single row was dropped or is not what was logged; a bar that is not met is printed, no more.
"""

import argparse
import json
import math
import sys
import tempfile
from pathlib import Path
from typing import Any

import device
import ours
from figures import ChildFailed, ask_child, begin, say
from peers import PEERS
from tables import Bars, number, print_absent, print_note, print_table
from workload import FOUR_64, WORKLOADS

PACED_STEPS = 1500


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=10_000, help="steps of vaemon and of the fast peers")
    parser.add_argument("--only", nargs="*", choices=list(PEERS), help="of the peers, these alone, or none")
    long = "also a run of 10,000,000 steps, or so many: minutes, and some GB of disk"
    parser.add_argument("--long", type=int, nargs="?", const=10_000_000, metavar="STEPS", help=long)
    parser.add_argument(
        "--device", choices=("cpu", "cuda", "auto"), help="also torch tensors that lie there; auto: on a GPU, if any"
    )
    parser.add_argument("--child", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.child:
        return answer(json.loads(asked.child))
    begin()
    bars, wrong = Bars(), list[str]()
    with tempfile.TemporaryDirectory(prefix="vaemon-bench-") as place:
        folder = Path(place)
        vaemon_rows(folder, asked.steps, bars, wrong)
        if asked.only != []:
            peer_rows(folder, asked.steps, asked.only or list(PEERS), bars, wrong)
        if asked.long:
            long_rows(folder, asked.long, bars, wrong)
        if asked.device:
            device_rows(folder, asked.device, wrong)
    bars.print()
    for line in wrong:
        say(f"WRONG: {line}")
    print_note("Rows dropped: " + ("some." if wrong else "none; every row was read back as it was logged."))
    return 1 if wrong else 0


def answer(question: dict[str, Any]) -> int:
    """What a child process does: measure one thing, leave the figures in a file."""
    what, folder = question["what"], Path(question["folder"])
    if what == "device":
        found = device.measure(folder, question["device"])
    elif what == "long":
        found = ours.measure_long(folder, question["steps"])
    elif what == "paced":
        found = ours.measure_paced(folder, WORKLOADS[question["load"]], question["steps"])
    elif what == "ours":
        found = ours.measure(folder, WORKLOADS[question["load"]], question["steps"])
    else:
        found = ours.measure_beside(folder, PEERS[question["peer"]], question["steps"])
    Path(question["answer"]).write_text(json.dumps(found))
    return 0


def vaemon_rows(folder: Path, asked_steps: int, bars: Bars, wrong: list[str]) -> None:
    """The recorder alone: three workloads in a tight loop, and two of them in steps of a millisecond."""
    times_of, costs_of = [], []
    times = 3  # rounds enough for one that nothing disturbs
    for key, load in WORKLOADS.items():
        steps = times * asked_steps
        found = ask_child(__file__, "ours", folder / f"ours-{key}", load=key, steps=steps)
        wrong += complaints(f"({key})", found)
        raw = number(found["bytes"] / steps / load.raw_bytes)
        title, told = f"({key}) {load.name}", f"{steps:,}"
        best = [number(found["log"][name]) for name in ("best", "best_p99")]
        bare = (number(found["control"]["best"]), *calls(found["control"])[:2])
        times_of.append((title, told, *best, *calls(found["log"]), *bare))
        memory, first = f"{found['grown']:+.1f}", number(found["first"] / 1e3)
        cells = (*costs(found, steps), f"{load.raw_bytes:,}", raw, number(found["read"]))
        costs_of.append((title, told, *cells, memory, first))
        demand(bars, key, found, steps)
    for key in ("a", "c"):
        found = ask_child(__file__, "paced", folder / f"paced-{key}", load=key, steps=PACED_STEPS)
        wrong += complaints(f"({key}) in 1 ms steps", found)
        cells = ("", "", *calls(found["log"]), "", *calls(found["control"])[:2])
        times_of.append((f"({key}) in a 1 ms step", f"{PACED_STEPS:,}", *cells))
    head = ("", "steps", "best round: median", "p99", "all: median", "p99", "worst", "copies: best", "median", "p99")
    print_table("A call of vaemon's, µs; beside it bare copies of its vectors", head, times_of)
    head = (
        "",
        "steps",
        "µs a step in all",
        "bytes a step",
        "raw",
        "of the raw",
        "read, s",
        "memory, MB",
        "first call, ms",
    )
    print_table("What it leaves; memory is what the process grew by", head, costs_of)


def demand(bars: Bars, key: str, found: dict[str, Any], steps: int) -> None:
    log, load = found["log"], WORKLOADS[key]
    if key == "c":
        bar = max(2 * found["control"]["best"], 5.0)
        bars.at_most("(c) median of the best round, the larger of 5 µs and 2 × copies", log["best"], bar, "µs")
    else:
        bars.at_most(f"({key}) median of the best round", log["best"], 3.0, "µs")
        bars.at_most(f"({key}) p99 of the best round", log["best_p99"], 25.0, "µs")
    if key != "b":
        bars.at_most(f"({key}) bytes", found["bytes"] / steps / load.raw_bytes, 1.25, "× raw")
    bars.at_most(f"({key}) memory", found["grown"], 32.0, "MB")


def peer_rows(folder: Path, steps: int, names: list[str], bars: Bars, wrong: list[str]) -> None:
    """Each peer with vaemon and JSON lines beside it."""
    head = ("", "steps", "median, µs", "p99", "worst", "µs a step in all", "bytes a step", "read, s")
    rows, absent = [], list[str]()
    for name in names:
        peer = PEERS[name]
        title = f"{peer.title} {peer.version()}".rstrip() if peer.installed() else peer.title
        if not peer.installed():
            absent.append(title)
            continue
        count = min(peer.steps, steps)
        try:
            found = ask_child(__file__, "peer", folder / name, peer=name, steps=count)
        except ChildFailed as failure:
            say(f"{title}: {failure}")
            rows.append((title, "failed", *("",) * 8))
            continue
        wrong += complaints(f"vaemon beside {title}", found["vaemon"])
        log = found["peer"]["median"]
        ratio = log / found["vaemon"]["log"]["median"]
        read = number(found["read"]) + ("" if found["found"] == count else " !")
        shares = (number(log / found["jsonl"]["median"]), f"1/{math.floor(ratio):,}")
        rows.append((title, f"{count:,}", *calls(found["peer"]), *costs(found, count), read, *shares))
        demanded = {"jsonl": 20, "tensorboard": 300, "wandb": 100}.get(name)
        if demanded:
            told, bar = f"1/{math.floor(ratio):,} of it", f"≤ 1/{demanded} of it"
            bars.either(f"(c) median beside {peer.title}", told, bar, met=ratio >= demanded)
    title = f"Others, workload (c): {FOUR_64.raw_bytes:,} raw bytes a step; medians of the same process are compared"
    print_table(title, (*head, "of JSON lines'", "vaemon's share"), rows)
    print_note("Read: every value of so many steps read back; `!` where a step was not found.")
    print_absent(absent)


def long_rows(folder: Path, steps: int, bars: Bars, wrong: list[str]) -> None:
    """Millions of steps of workload (a): does a step cost more in the end?"""
    found = ask_child(__file__, "long", folder / "long", steps=steps)
    wrong += complaints("the long run", found)
    rows = [
        (f"{each['steps']:,}", *(number(each[name]) for name in ("log", "total", "control"))) for each in found["at"]
    ]
    each = found["bytes"] / found["steps"]
    title = f"(a) for {found['steps']:,} steps: {found['seconds']:.0f} s, {each:.1f} bytes a step"
    print_table(title, ("around step", "median, µs", "µs a step in all", "bare copies"), rows)
    print_note(f"The lower quartile of the segments of 5,000 steps; memory {found['grown']:+.1f} MB.")
    # The clock of a shared machine halves and doubles between these: a call is told in copies of a row.
    calls_now = [each["log"] / each["control"] for each in found["at"]]
    totals = [each["total"] for each in found["at"]]
    for values, what in ((calls_now, "median, in bare copies"), (totals, "total")):
        bars.at_most(f"(a) {what}, largest/smallest around these steps", max(values) / min(values), 1.5, "×")
    bars.at_most(f"(a) memory, {found['steps']:,} steps", found["grown"], 32.0, "MB")
    bars.at_most(
        f"(a) bytes, {found['steps']:,} steps",
        found["bytes"] / found["steps"] / WORKLOADS["a"].raw_bytes,
        1.25,
        "× raw",
    )


def device_rows(folder: Path, kind: str, wrong: list[str]) -> None:
    found = ask_child(__file__, "device", folder / "device", device=kind)
    for each in found["rows"]:
        wrong += complaints(f"{kind}: {each['title']}", each)
    shares = ("step", "share", "slower")
    rows = [
        (each["title"], f"{each['steps']:,}", *calls(each["log"]), *(number(each[name]) for name in shares))
        for each in found["rows"]
    ]
    head = ("logged", "steps", "median, µs", "p99", "worst", "bare step, µs", "log, %", "of the bare")
    print_table(f"Torch tensors on {found['where']}, {found['model']}", head, rows)
    print_note(f"{found['syncs']}.")


def calls(found: dict[str, float]) -> tuple[str, str, str]:
    return number(found["median"]), number(found["p99"]), number(found["worst"])


def costs(found: dict[str, Any], steps: int) -> tuple[str, str]:
    """Microseconds a step in all, and bytes a step."""
    return number(found["total"] / steps * 1e6), number(found["bytes"] / steps)


def complaints(where: str, found: dict[str, Any]) -> list[str]:
    """What is wrong with a recorded run, in words; empty where every row is there."""
    missing = [f"{found['missing']} rows are missing"] if found["missing"] else []
    return [f"{where}: {said}" for said in (*missing, *found["told"])]


if __name__ == "__main__":
    sys.exit(main())
