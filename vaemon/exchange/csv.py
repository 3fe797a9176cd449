"""A table as CSV: a line of names, then a line a row, the shortest numbers that read back as the same."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy.typing as npt

from vaemon.batch import Event
from vaemon.exchange.file import write_file

Array = npt.NDArray[Any]

AT_ONCE = 50_000
"""Values turned into text at a time: a few megabytes, however large the blocks are."""


def write_csv(blocks: Iterable[Mapping[str, Array]], path: Path, *, replace: bool = False) -> Path:
    """Write blocks of rows, one after the other, as one table.

    Args:
        blocks: the columns by name, "step" among them, each of shape (n,), or (n, k) for a latent channel; names and
            k are those of the first block in all. Asked for one by one; what it raises leaves no file.
        path: where; `write_file` says how, and what it raises.
        replace: take the place of a file of that name.

    Returns:
        Where it was written.

    Raises:
        ValueError: a block has other columns than the first.
    """
    return write_file(path, lines(blocks), replace=replace)


def write_events(events: Iterable[Event], path: Path, *, replace: bool = False) -> Path:
    """Write events as a table, a line each: step, time, stage, kind, latent (-1 for none), text.

    Arguments, answer and errors as of `write_csv`.
    """
    return write_file(path, event_lines(events), replace=replace)


def event_lines(events: Iterable[Event]) -> Iterator[bytes]:
    """The table of events, a line a piece."""
    yield _line(("step", "time", "stage", "kind", "latent", "text"))
    for each in events:
        yield _line((each.step, each.time, each.stage, each.kind, each.latent, each.text))


def lines(blocks: Iterable[Mapping[str, Array]]) -> Iterator[bytes]:
    """The table in pieces: "step" first, a latent channel as `name[0]`, `name[1]` and so on."""
    header: list[str] | None = None
    for block in blocks:
        names = ["step", *(name for name in block if name != "step")]
        found = [label for name in names for label in _labels(name, block[name])]
        if header is None:
            header = found
            yield _line(header)
        elif found != header:
            raise ValueError(f"a block has the columns {found[:8]}, the first had {header[:8]}")
        step = max(AT_ONCE // len(header), 1)
        for start in range(0, len(block["step"]), step):
            yield _rows([block[name][start : start + step] for name in names])


def _labels(name: str, column: Array) -> list[str]:
    return [name] if column.ndim == 1 else [f"{name}[{i}]" for i in range(column.shape[1])]


def _line(words: Iterable[object]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(words)
    return text.getvalue().encode()


def _rows(columns: list[Array]) -> bytes:
    texts = [column.reshape(len(column), -1).astype("S") for column in columns]
    return b"".join(
        b",".join(row) + b"\n" for row in zip(*(text for each in texts for text in each.T.tolist()), strict=True)
    )
