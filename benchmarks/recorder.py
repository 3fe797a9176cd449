"""What a call of `Recorder.log` costs the training loop, on the disk and in memory, beside other ways to record.

    python -m venv peers && peers/bin/pip install -r benchmarks/peers.txt
    PYTHONPATH=. peers/bin/python benchmarks/recorder.py [--steps 10000] [--only tensorboard wandb] [--long [STEPS]]
                                                         [--device cpu|cuda]

Peers that are not installed are left out; with none of them it runs where vaemon does. Nothing is sent anywhere.

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
import signal
import sys
import tempfile
from pathlib import Path
from typing import Any

import device
import ours
from figures import Bars, ChildFailed, ask_child, machine, number, print_table
from peers import PEERS
from workload import FOUR_64, WORKLOADS

PACED_STEPS = 1500


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=10_000, help="steps of vaemon and of the fast peers")
    parser.add_argument("--only", nargs="*", choices=list(PEERS), help="of the peers, these alone, or none")
    long = "also a run of 10,000,000 steps, or so many: minutes, and some GB of disk"
    parser.add_argument("--long", type=int, nargs="?", const=10_000_000, metavar="STEPS", help=long)
    parser.add_argument("--device", choices=("cpu", "cuda"), help="also torch tensors that lie there")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # which ends the child, and empties the temporary folder
    if asked.child:
        return answer(json.loads(asked.child))
    print(machine())
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
        print(f"WRONG: {line}", file=sys.stderr)
    print("\nrows dropped: " + ("some, see above" if wrong else "none; every row was read back as it was logged"))
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
    head = ("vaemon", "steps", "best us", "p99 us", "median us", "p99 us", "worst us", "control best", "median", "p99")
    rows = []
    times = 3  # rounds enough for one that nothing disturbs
    for key, load in WORKLOADS.items():
        steps = times * asked_steps
        found = ask_child(__file__, "ours", folder / f"ours-{key}", load=key, steps=steps)
        wrong += complaints(f"({key})", found)
        raw = number(found["bytes"] / steps / load.raw_bytes)
        best = [number(found["log"][name]) for name in ("best", "best_p99")]
        bare = (number(found["control"]["best"]), *calls(found["control"])[:2])
        cells = (*bare, *costs(found, steps), str(load.raw_bytes), raw, number(found["read"]))
        memory, first = f"{found['grown']:+.1f}", number(found["first"] / 1e3)
        rows.append((f"({key}) {load.name}", f"{steps:,}", *best, *calls(found["log"]), *cells, memory, first))
        demand(bars, key, found, steps)
    for key in ("a", "c"):
        found = ask_child(__file__, "paced", folder / f"paced-{key}", load=key, steps=PACED_STEPS)
        wrong += complaints(f"({key}) in 1 ms steps", found)
        cells = ("-", "-", *calls(found["log"]), "-", *calls(found["control"])[:2], *("-",) * 5)
        cells = (*cells, f"{found['grown']:+.1f}", "-")
        rows.append((f"({key}) in a 1 ms step", f"{PACED_STEPS:,}", *cells))
    title = (
        "vaemon, by itself: best round and all of them; the control is the bare copies; memory is the process's growth"
    )
    more = ("total us/step", "B/step", "raw", "x raw", "read s", "memory MB", "first ms")
    print_table(title, (*head, *more), rows)


def demand(bars: Bars, key: str, found: dict[str, Any], steps: int) -> None:
    log, load = found["log"], WORKLOADS[key]
    if key == "c":
        bar = max(2 * found["control"]["best"], 5.0)
        bars.at_most("(c) median of the best round, the larger of 5 us and 2 x control", log["best"], bar, "us")
    else:
        bars.at_most(f"({key}) median of the best round", log["best"], 3.0, "us")
        bars.at_most(f"({key}) p99 of the best round", log["best_p99"], 25.0, "us")
    if key != "b":
        bars.at_most(f"({key}) bytes", found["bytes"] / steps / load.raw_bytes, 1.25, "x raw")
    bars.at_most(f"({key}) memory", found["grown"], 32.0, "MB")


def peer_rows(folder: Path, steps: int, names: list[str], bars: Bars, wrong: list[str]) -> None:
    """Each peer with vaemon and JSON lines beside it."""
    head = ("peer, workload (c)", "steps", "median us", "p99 us", "worst us", "total us/step", "B/step", "read s")
    rows = []
    for name in names:
        peer = PEERS[name]
        title = f"{peer.title} {peer.version()}".rstrip() if peer.installed() else peer.title
        if not peer.installed():
            rows.append((title, "not installed", *("",) * 8))
            continue
        count = min(peer.steps, steps)
        try:
            found = ask_child(__file__, "peer", folder / name, peer=name, steps=count)
        except ChildFailed as failure:
            print(f"{title}: {failure}", file=sys.stderr)
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
            told, bar = f"1/{math.floor(ratio):,} of it", f"<= 1/{demanded} of it"
            bars.either(f"(c) median beside {peer.title}", told, bar, met=ratio >= demanded)
    print_table(
        f"peers, {FOUR_64.raw_bytes} raw bytes a step; vaemon's share and JSON lines by medians of the same process",
        (*head, "x JSONL", "vaemon"),
        rows,
    )
    print("  read: every value of so many steps read back; '!' where a step was not found")


def long_rows(folder: Path, steps: int, bars: Bars, wrong: list[str]) -> None:
    """Millions of steps of workload (a): does a step cost more in the end?"""
    found = ask_child(__file__, "long", folder / "long", steps=steps)
    wrong += complaints("the long run", found)
    rows = [
        (f"{each['steps']:,}", *(number(each[name]) for name in ("log", "total", "control"))) for each in found["at"]
    ]
    title = f"(a) for {found['steps']:,} steps: {found['seconds']:.0f} s, {found['bytes'] / found['steps']:.1f} B/step"
    print_table(title, ("around step", "median us", "total us/step", "control us"), rows)
    print(f"  the lower quartile of the segments of 5,000 steps; memory {found['grown']:+.1f} MB")
    # The clock of a shared machine halves and doubles between these: a call is told in copies of a row.
    calls_now = [each["log"] / each["control"] for each in found["at"]]
    totals = [each["total"] for each in found["at"]]
    for values, what in ((calls_now, "median, in bare copies"), (totals, "total")):
        bars.at_most(f"(a) {what}, largest/smallest around these steps", max(values) / min(values), 1.5, "x")
    bars.at_most(f"(a) memory, {found['steps']:,} steps", found["grown"], 32.0, "MB")
    bars.at_most(
        f"(a) bytes, {found['steps']:,} steps",
        found["bytes"] / found["steps"] / WORKLOADS["a"].raw_bytes,
        1.25,
        "x raw",
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
    head = ("logged", "steps", "median us", "p99 us", "worst us", "bare step us", "log %", "x bare")
    print_table(f"torch tensors on {found['where']}, {found['model']}", head, rows)
    print(f"  {found['syncs']}")


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
