"""What it costs to decode CelebA's pictures once, and what to read them afterwards from the cache.

The plain way is what the published code does with each picture: decode it, cut out [45:173, 25:153] as an array, make
an image of that again, resize it to 64 × 64. The pictures are made up: 178 × 218, JPEG, about as large as CelebA's.

    python benchmarks/decoding.py [--pictures 4000] [--rounds 7]

One core, in turns of a few pictures within one process: the plain way, and ours; the pixels are compared. Then all
cores, by threads as the trainer does it, and by processes. Then `load("celeba", …)` of a folder and of a zip: at first
sight, and from the cache. Where other work runs on the machine, its cores are not ours: read the processor's time.
"""

import argparse
import io
import os
import tempfile
import time
import zipfile
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np
from figures import begin
from PIL import Image
from tables import Bars, number, print_note, print_table

from trainer.data.celeba import BOX, SIDE, STORED
from trainer.data.decode import Fit, decode
from trainer.data.load import load
from trainer.data.members import Member
from trainer.data.pictures import decode_each

FIT = Fit(SIDE, "bilinear", BOX, STORED)
TEST_SHARE = 0.1
FIRST_OF_TEST = 182_638
TURN = 20
"""Pictures decoded in one way before the other has its turn."""
COARSE = 14
"""Points a side of the noise that the pictures are smooth between: with it they have 9 kB, near CelebA's 7."""


def picture(seed: int) -> bytes:
    """A JPEG of smooth noise."""
    rng = np.random.default_rng(seed)
    coarse = Image.fromarray(rng.integers(0, 256, (COARSE, COARSE, 3), dtype=np.uint8))
    smooth = np.asarray(coarse.resize(STORED, Image.Resampling.BICUBIC)).astype(np.int16)
    grain = rng.integers(-6, 7, smooth.shape, dtype=np.int16)
    file = io.BytesIO()
    Image.fromarray(np.clip(smooth + grain, 0, 255).astype(np.uint8)).save(file, "JPEG", quality=85)
    return file.getvalue()


def plainly(data: bytes) -> np.ndarray:
    """A picture as the published code reads it."""
    left, top, right, bottom = BOX
    whole = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))
    middle = Image.fromarray(whole[top:bottom, left:right])
    return np.asarray(middle.resize((SIDE, SIDE), Image.Resampling.BILINEAR))


def ours(data: bytes) -> np.ndarray:
    return decode(data, FIT)


def in_turns(pictures: Sequence[bytes]) -> tuple[float, float]:
    """Pictures a second of the processor's time, plainly and ours; each first as often as second."""
    ways: list[Callable[[bytes], np.ndarray]] = [plainly, ours]
    taken = dict.fromkeys(ways, 0.0)
    for start in range(0, len(pictures), TURN):
        for work in ways:
            begun = time.thread_time()
            for data in pictures[start : start + TURN]:
                work(data)
            taken[work] += time.thread_time() - begun
        ways.reverse()
    return len(pictures) / taken[plainly], len(pictures) / taken[ours]


def threaded(pictures: Sequence[bytes]) -> float:
    members = [Member(str(i), data, len(data)) for i, data in enumerate(pictures)]
    begun = time.perf_counter()
    for _ in decode_each(members, FIT):
        pass
    return len(pictures) / (time.perf_counter() - begun)


def share_of(pictures: Sequence[bytes]) -> int:
    return sum(len(ours(data)) for data in pictures)


def by_processes(pool: ProcessPoolExecutor, pictures: Sequence[bytes], count: int) -> float:
    begun = time.perf_counter()
    list(pool.map(share_of, [pictures[i::count] for i in range(count)]))
    return len(pictures) / (time.perf_counter() - begun)


def written(pictures: Sequence[bytes], folder: Path) -> tuple[Path, Path]:
    """The pictures as a folder and as a zip, named as CelebA's."""
    last = round(len(pictures) * (1 - TEST_SHARE))
    numbers = [i + 1 if i < last else FIRST_OF_TEST + i - last for i in range(len(pictures))]
    (folder / "img_align_celeba").mkdir()
    with zipfile.ZipFile(folder / "celeba.zip", "w") as archive:
        for number_, data in zip(numbers, pictures, strict=True):
            (folder / "img_align_celeba" / f"{number_:06}.jpg").write_bytes(data)
            archive.writestr(f"img_align_celeba/{number_:06}.jpg", data)
    return folder / "img_align_celeba", folder / "celeba.zip"


class Spent(NamedTuple):
    """Seconds until the images are there: by the clock, and of the processor; by the clock for every pixel then."""

    clock: float
    processor: float
    pixels: float


def spent(path: Path) -> Spent:
    clock, processor = time.perf_counter(), time.process_time()
    images = load("celeba", path, size=0, seed=0)
    there, processor = time.perf_counter(), time.process_time() - processor
    for part in (images.train, images.test):
        part.reshape(-1)[: part.size // 8 * 8].view(np.uint64).max()
    return Spent(there - clock, processor, time.perf_counter() - there)


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--pictures", type=int, default=4000)
    asked.add_argument("--rounds", type=int, default=7)
    options = asked.parse_args()
    begin()
    pictures = [picture(seed) for seed in range(options.pictures)]
    size = np.mean([len(each) for each in pictures]) / 1000
    print_note(f"{len(pictures):,} pictures, JPEG of {STORED[0]} × {STORED[1]} and {size:.1f} kB, to {SIDE} × {SIDE}.")
    assert all(np.array_equal(plainly(data), ours(data)) for data in pictures[:50])
    bars = Bars()

    rounds = np.array([in_turns(pictures[i :: options.rounds]) for i in range(options.rounds)])
    ratios, best = rounds[:, 1] / rounds[:, 0], rounds[:, 1].max()
    rows = [
        (name, number(np.median(rates)), number(rates.max()))
        for name, rates in zip(("the plain way", "vaemon"), rounds.T, strict=True)
    ]
    print_table("One core, pictures/s of the processor's time", ("", "median", "best"), rows)
    print_note(f"vaemon in the plain way, round by round: {', '.join(number(each) for each in ratios)}.")
    bars.at_least("one core: vaemon / the plain way, median of the rounds", float(np.median(ratios)), 1.1, "")

    cores = len(os.sched_getaffinity(0))
    with ProcessPoolExecutor(cores) as pool:
        by_processes(pool, pictures[: 8 * cores], cores)
        turns = [(threaded(pictures), by_processes(pool, pictures, cores)) for _ in range(3)]
    threads, processes = (max(each) for each in zip(*turns, strict=True))
    rows = [
        ("threads", number(threads), number(threads / best)),
        ("processes", number(processes), number(processes / best)),
    ]
    print_table(f"{cores} cores, pictures/s, best of 3", ("", "rate", "of one core's best"), rows)

    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_CACHE_HOME"] = f"{folder}/cache"
        rows = []
        for kind, path in zip(("folder", "zip"), written(pictures, Path(folder)), strict=True):
            first = spent(path)
            again = min((spent(path) for _ in range(9)), key=lambda each: each.processor)
            seen = [f"{1000 * each:.3g} ms" for each in again]
            rows.append((kind, f"{first.clock:.3g} s", f"{first.processor:.3g} s", *seen))
            bars.at_least(f"{kind}: first sight / from the cache", first.processor / again.processor, 100, "")
    head = ("", "first sight", "of the processor", "from the cache", "of the processor", "every pixel, then")
    print_table('`load("celeba", …)`: at first sight, and then from the cache', head, rows)
    bars.print()


if __name__ == "__main__":
    main()
