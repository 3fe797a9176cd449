"""Rows, events and evaluations of a stage as an event file of TensorBoard's.

Numbers are written as tensors of float32, the only ones that TensorBoard draws, and where that loses digits once more
beside it, for `vaemon import`; so nothing is lost. A latent channel is a tensor of one number for each latent variable,
which TensorBoard lists, but does not draw; what it draws are histograms over the latents, at some of the rows.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from vaemon.batch import Columns, RunInfo, StageInfo
from vaemon.batch import Event as RunEvent
from vaemon.channels import CHANNELS
from vaemon.evaluations import evaluations
from vaemon.exchange.table import stored
from vaemon.exchange.tensorboard import own
from vaemon.exchange.tensorboard.messages import BLOBS, FILE_VERSION, SCALAR, TENSOR, Event, HParamsData
from vaemon.exchange.tensorboard.records import framed
from vaemon.exchange.tensorboard.tensors import STRING, fill, fill_number
from vaemon.view.config import flat

Array = npt.NDArray[Any]

MOST_HISTOGRAMS = 500
"""Of a channel: TensorBoard itself shows no more."""
BUCKETS = 30
SETTINGS = "_hparams_/session_start_info"
"""The tag of hyperparameters."""


class Table(NamedTuple):
    """Some rows."""

    step: Array
    time: Array
    values: Mapping[str, Array]
    """Channels, (n,) or (n, k)."""
    there: Mapping[str, Array]
    """Which rows have a channel, (n,); of channels that some lack."""


def table_of(found: Columns, channels: Sequence[str]) -> Table:
    """Rows as a source tells them."""
    values = stored(found, [name for name in channels if name != "time"])
    there = {
        name: ~_every((rows > 0) & np.isnan(values[name])) for name, rows in found.absent.items() if name in values
    }
    return Table(found.step, found.time, values, there)


class EventFile:
    """Makes the records of one event file, in order."""

    def __init__(self, rows: int) -> None:
        """Begin a file of so many rows."""
        self._every = -(-rows // MOST_HISTOGRAMS)
        self._rows = 0
        self._known: set[str] = set()  # tags whose kind was told: the first value of each does
        self._seen: set[str] = set()  # channels of which a value was written

    def head(self, info: RunInfo, stage: StageInfo, time: float) -> Iterator[bytes]:
        """What comes first: the version, the run's config, as TensorBoard's hyperparameters, too.

        Args:
            info: of the run.
            stage: of the rows.
            time: of the first row.
        """
        first = Event(wall_time=time)
        first.file_version = FILE_VERSION
        yield framed(first.SerializeToString())
        yield self._text(own.RUN, own.run_text(info, stage), 0, time)
        event = Event(wall_time=time, step=0)
        value = event.summary.value.add(tag=SETTINGS.encode())
        value.metadata.plugin_data.plugin_name = b"hparams"
        value.metadata.plugin_data.content = _settings(info.config, info.created)
        yield framed(event.SerializeToString())

    def events(self, events: Iterable[RunEvent]) -> Iterator[bytes]:
        """Events as texts, and evaluations as numbers, too."""
        kept = list(events)
        for each in kept:
            yield self._text(own.EVENTS, own.event_text(each), each.step, each.time)
        for found in evaluations(kept):
            event = Event(wall_time=found.time, step=found.step)
            for name, number in found.values.items():
                self._add(event, own.EVALUATION + name, np.array(number))
            yield framed(event.SerializeToString())

    def rows(self, table: Table) -> bytes:
        """Rows, an event each."""
        return b"".join(self._row(table, row) for row in range(len(table.step)))

    def pictures(self, kind: str, step: int, time: float, size: tuple[int, int], encoded: Sequence[bytes]) -> bytes:
        """A set of images, (width, height) each, as PNG."""
        event = Event(wall_time=time, step=step)
        value = self._value(event, kind, "images", BLOBS)
        value.tensor.dtype = STRING
        value.tensor.tensor_shape.dim.add(size=2 + len(encoded))
        value.tensor.string_val.extend([str(size[0]).encode(), str(size[1]).encode(), *encoded])
        return framed(event.SerializeToString())

    def _row(self, table: Table, row: int) -> bytes:
        event = Event(wall_time=float(table.time[row]), step=int(table.step[row]))
        for name, column in table.values.items():
            there = table.there.get(name)
            if (there is None or there[row]) and (column.ndim > 1 or self._is_told(name, column[row])):
                self._add(event, name, column[row])
                if column.ndim > 1 and self._rows % self._every == 0:
                    self._add_spread(event, name, column[row])
        self._rows += 1
        return framed(event.SerializeToString())

    def _add_spread(self, event: Any, name: str, values: Array) -> None:
        finite = values[np.isfinite(values)].astype(np.float64)
        if len(finite):
            low, high = float(finite.min()), float(finite.max())
            counts, _ = (
                np.histogram(finite, BUCKETS, (low, high)) if high - low > abs(high) * 1e-12 else ([len(finite)], 0)
            )
            edges = np.linspace(low, high, len(counts) + 1)
            made = self._value(event, own.SPREAD + name, "histograms", TENSOR)
            fill(made.tensor, np.stack([edges[:-1], edges[1:], np.asarray(counts, np.float64)], axis=1))

    def _is_told(self, name: str, value: Any) -> bool:
        # A scalar of one's own is mostly NaN because its step has none; the first makes the channel known.
        if name in CHANNELS or name not in self._seen or not math.isnan(value):
            self._seen.add(name)
            return True
        return False

    def _add(self, event: Any, tag: str, value: Array) -> None:
        made = self._value(event, tag, own.LATENT if value.ndim else "scalars", TENSOR if value.ndim else SCALAR)
        if value.ndim:
            fill(made.tensor, value)
        else:
            fill_number(made.tensor, float(value))

    def _text(self, tag: str, text: str, step: int, time: float) -> bytes:
        event = Event(wall_time=time, step=step)
        value = self._value(event, tag, "text", TENSOR)
        value.tensor.dtype = STRING
        value.tensor.tensor_shape.dim.add(size=1)
        value.tensor.string_val.append(text.encode(errors="replace"))
        return framed(event.SerializeToString())

    def _value(self, event: Any, tag: str, plugin: str, data_class: int) -> Any:
        value = event.summary.value.add(tag=tag.encode(errors="replace"))
        if tag not in self._known:
            self._known.add(tag)
            value.metadata.plugin_data.plugin_name = plugin.encode()
            value.metadata.data_class = data_class
            if tag in CHANNELS:
                value.metadata.summary_description = CHANNELS[tag].sentence.encode()
        return value


def _every(lacking: Array) -> Array:
    return np.asarray(lacking if lacking.ndim == 1 else lacking.all(axis=1))


def _settings(config: Mapping[str, Any], created: float) -> bytes:
    told = HParamsData(version=0)
    told.session_start_info.start_time_secs = created
    for name, value in flat(config).items():
        one = told.session_start_info.hparams.add(key=name.encode(errors="replace"))
        if isinstance(value, bool):
            one.value.bool_value = value
        elif isinstance(value, float) or (isinstance(value, int) and abs(value) < 2**63):
            one.value.number_value = float(value)
        else:
            one.value.string_value = str(value).encode(errors="replace")
    return bytes(told.SerializeToString())
