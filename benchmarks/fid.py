"""What the Fréchet distance and the statistics of 2,048 features cost, and which digits they keep.

The distance beside the forms of the usual packages, written out here, since pytorch-fid calls `sqrtm` with an argument
that SciPy 1.18 has dropped, and torch-fidelity needs torchvision:

    pytorch-fid     tr sqrtm(Σ_a Σ_b), by scipy.linalg             its fid_score.py, after Heusel et al. 2017
    torch-fidelity  Σ √λ, λ the eigenvalues of Σ_a Σ_b, by numpy   its metric_fid.py

The errors are against the nuclear norm of R_a R_bᵀ, of QR of the centred features: no covariance, no square root.
The statistics beside all features held and np.cov (pytorch-fid, torch-fidelity), and beside plain sums in float64
(torchmetrics); their errors are against two passes in 80 bits, over some of the features.

    python benchmarks/fid.py [distance|statistics] [--rounds 3]

The features are noise with a spectrum that falls off and with its negative parts cut off, as Inception's are. The forms
take turns, in a process with one BLAS thread; seconds are the processor's, for others share the machine.
"""

import argparse
import json
import resource
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from figures import ask_child, begin
from scipy import linalg
from tables import Bars, number, print_table

from analysis.measures.features import FeatureStatistics, FeatureSums
from analysis.measures.frechet import frechet_distance

WIDTH = 2048
BLOCK = 1000
SOME = 48
"""Features that the statistics are checked on in 80 bits, which are slow."""
OURS, ROOT, EIGENVALUES = "vaemon", "sqrtm (pytorch-fid)", "eigvals (torch-fidelity)"


def blocks(count: int, seed: int, lift: float = 0.0) -> Iterator[np.ndarray]:
    """Features, float32, a block at a time: rotated, correlated, not negative."""
    fixed, drawn = np.random.default_rng(0), np.random.default_rng(seed)
    mix = fixed.standard_normal((WIDTH, WIDTH)) * (1 + np.arange(WIDTH))[:, None] ** -0.5 / 4
    centre = 0.3 * fixed.standard_normal(WIDTH) + lift
    for _ in range(0, count, BLOCK):
        yield np.maximum(drawn.standard_normal((BLOCK, WIDTH)) @ mix + centre, 0).astype(np.float32)


def summed(given: Iterable[np.ndarray]) -> FeatureStatistics:
    sums = FeatureSums(WIDTH)
    for block in given:
        sums.add(block)
    return sums.statistics()


def beyond_root(a: FeatureStatistics, b: FeatureStatistics) -> float:
    """All of the distance but the trace of the root."""
    apart = a.mean - b.mean
    return float(apart @ apart + np.trace(a.covariance) + np.trace(b.covariance))


def by_root(a: FeatureStatistics, b: FeatureStatistics) -> float:
    return beyond_root(a, b) - 2 * float(np.trace(linalg.sqrtm(a.covariance @ b.covariance)).real)


def by_eigenvalues(a: FeatureStatistics, b: FeatureStatistics) -> float:
    values = np.linalg.eigvals(a.covariance @ b.covariance)
    return beyond_root(a, b) - 2 * float(np.sqrt(values.astype(complex)).real.sum())


FORMS: dict[str, Callable[[FeatureStatistics, FeatureStatistics], float]] = {
    OURS: frechet_distance,
    EIGENVALUES: by_eigenvalues,
    ROOT: by_root,
}


def by_features(x: np.ndarray, y: np.ndarray) -> float:
    """The reference: from the centred features, by QR and singular values."""
    a, b = ((each - each.mean(axis=0)) / np.sqrt(len(each) - 1) for each in (x, y))
    triangles = [linalg.qr(each, mode="r")[0][:WIDTH] for each in (a, b)]
    common = linalg.svdvals(triangles[0] @ triangles[1].T).sum()
    return float(
        np.square(x.mean(axis=0) - y.mean(axis=0)).sum() + np.square(a).sum() + np.square(b).sum() - 2 * common
    )


def measure_distance(count: int, rounds: int) -> dict[str, Any]:
    """Seconds of each form in every round, its error, and what it finds between a set and itself."""
    given = [list(blocks(count, seed, lift)) for seed, lift in ((1, 0.0), (2, 0.05))]
    a, b = (summed(side) for side in given)
    expected = by_features(*(np.concatenate(side).astype(np.float64) for side in given))
    found: dict[str, Any] = {name: {"seconds": []} for name in FORMS}
    for _ in range(rounds):
        for name, form in FORMS.items():
            began = time.process_time()
            value = form(a, b)
            found[name]["seconds"].append(time.process_time() - began)
            found[name]["error"] = value - expected
    for name, form in FORMS.items():
        if name == OURS or count < WIDTH:  # where the others err, too
            found[name]["self"] = form(a, a)
    return {"expected": expected, **found}


def held(given: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """All features in one array, as they came."""
    features = np.concatenate(given)
    return features.mean(axis=0), np.cov(features, rowvar=False)


def plain(given: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Σ x and Σ xxᵀ in float64."""
    count, total, products = 0, np.zeros(WIDTH), np.zeros((WIDTH, WIDTH))
    for block in given:
        rows = block.astype(np.float64)
        count += len(rows)
        total += rows.sum(axis=0)
        products += rows.T @ rows
    mean = total / count
    return mean, (products - count * np.outer(mean, mean)) / (count - 1)


def shifted(given: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Ours."""
    found = summed(given)
    return found.mean, found.covariance


WAYS = {OURS: shifted, "all held, np.cov": held, "sums in float64": plain}


def measure_statistics(count: int, rounds: int) -> dict[str, Any]:
    """Seconds of each way in every round, and the errors of mean and covariance, of features about 0 and about 100."""
    found: dict[str, Any] = {name: {"seconds": []} for name in WAYS}
    for offset in (0, 100):
        given = [block + np.float32(offset) for block in blocks(count, 1)]
        some = np.concatenate([block[:, :SOME] for block in given]).astype(np.longdouble)
        mean = some.mean(axis=0)
        covariance = np.einsum("ni,nj->ij", some - mean, some - mean) / (count - 1)
        for name, way in list(WAYS.items()) * rounds:
            began = time.process_time()
            found_mean, found_covariance = way(given)
            found[name]["seconds"].append(time.process_time() - began)
            found[name][f"mean {offset}"] = furthest(found_mean[:SOME], mean)
            found[name][f"covariance {offset}"] = furthest(found_covariance[:SOME, :SOME], covariance)
    return found


def furthest(found: np.ndarray, expected: np.ndarray) -> float:
    """The largest error, of the largest value."""
    return float(np.abs(found - expected).max() / np.abs(expected).max())


def measure_memory(count: int) -> dict[str, float]:
    """MB beyond one block of features: of arrays, and of the process."""
    block = np.random.default_rng(1).standard_normal((BLOCK, WIDTH), dtype=np.float32)
    before = most_resident_mb()
    summed(block for _ in range(0, count, BLOCK))
    grown = most_resident_mb() - before
    tracemalloc.start()
    summed(block for _ in range(0, count, BLOCK))
    return {"arrays": tracemalloc.get_traced_memory()[1] / 1e6, "process": grown}


def most_resident_mb() -> float:
    """The most memory of this process that was ever resident, MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6


MEASURES: dict[str, Callable[..., Any]] = {
    "distance": measure_distance,
    "statistics": measure_statistics,
    "memory": measure_memory,
}


def distances(folder: Path, rounds: int, bars: Bars) -> None:
    """The distance of as many images as are usual, and of fewer than there are features."""
    for count, slower, least in ((10_000, 1, 4), (1_000, 4, 10)):
        found = ask_child(__file__, "distance", folder / f"distance-{count}", count=count, rounds=rounds)
        expected = found.pop("expected")
        seconds = {name: min(each["seconds"]) for name, each in found.items()}
        rows = [
            (
                name,
                number(seconds[name]),
                number(seconds[name] / seconds[OURS]),
                *(f"{each[error]:.1e}" if error in each else "" for error in ("error", "self")),
            )
            for name, each in found.items()
        ]
        head = ("", "seconds", "of vaemon's", "error", "to itself")
        print_table(f"Distance of 2 x {count:,} images, {WIDTH} features: {expected:.4f}", head, rows)
        named = f"N = {count:,}: "
        bars.at_least(f"{named}{EIGENVALUES} takes", seconds[EIGENVALUES] / seconds[OURS], slower, "times as long")
        bars.at_least(f"{named}{ROOT} takes", seconds[ROOT] / seconds[OURS], least, "times as long")
        bars.at_most(f"{named}absolute error", abs(found[OURS]["error"]), 1e-10, "")
        bars.at_most(f"{named}distance to itself", abs(found[OURS]["self"]), 1e-10, "")


def statistics(folder: Path, rounds: int, bars: Bars) -> None:
    """Mean and covariance of 10,000 images, and what is held for them and for five times as many."""
    count = 10_000
    found = ask_child(__file__, "statistics", folder / "statistics", count=count, rounds=rounds)
    errors = ("mean 0", "covariance 0", "mean 100", "covariance 100")
    rows = [
        (name, number(min(each["seconds"]) / count * 1e3), *(f"{each[error]:.0e}" for error in errors))
        for name, each in found.items()
    ]
    head = ("", "ms an image", *(f"{error.replace(' ', ', about ')}" for error in errors))
    print_table(f"Statistics of {count:,} images, {WIDTH} features; relative errors", head, rows)
    for about in (0, 100):
        bars.at_most(f"covariance, features about {about}", found[OURS][f"covariance {about}"], 1e-13, "relative error")
    for images in (count, 5 * count):
        memory = ask_child(__file__, "memory", folder / f"memory-{images}", count=images)
        bars.at_most(f"arrays held for {images:,} images", memory["arrays"], 60, "MB")
        bars.at_most(f"growth of the process by {images:,} images", memory["process"], 60, "MB")


PARTS = {"statistics": statistics, "distance": distances}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("part", nargs="?", choices=PARTS, help="all, where it is not said which")
    parser.add_argument("--rounds", type=int, default=3, help="the least seconds of so many are told (default: 3)")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.child:
        told = json.loads(asked.child)
        measure, answer = MEASURES[told.pop("what")], Path(told.pop("answer"))
        del told["folder"]
        answer.write_text(json.dumps(measure(**told)))
        return 0
    begin()
    bars = Bars()
    with tempfile.TemporaryDirectory(prefix="vaemon-bench-") as place:
        for name, part in PARTS.items():
            if asked.part in (None, name):
                part(Path(place), asked.rounds, bars)
    bars.print()
    return 0


if __name__ == "__main__":
    sys.exit(main())
