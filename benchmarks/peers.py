"""Other ways to record a training, each used as its documentation shows.

A peer is opened on an empty folder, takes `log` once a step, and after `close` reads back all it has recorded: `read`
gives the number of steps found. Where a peer has a kind of its own for many numbers of one step, a histogram, the
vectors go there, although which latent is which is lost with it; where it has none, each latent is a scalar.
"""

import csv
import importlib.metadata
import importlib.util
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

from workload import SCALARS

Row = dict[str, Any]


def flatten(row: Row) -> dict[str, float]:
    """One number a name: mse, then mean_variance/0, mean_variance/1 and so on."""
    flat = {name: row[name] for name in SCALARS}
    for name, vector in row.items():
        if name not in flat:
            flat |= {f"{name}/{i}": value for i, value in enumerate(vector.tolist())}
    return flat


class Peer:
    """What all have; `log` and `read` are their own."""

    title = ""
    needs: ClassVar[tuple[str, ...]] = ()
    """The packages imported; the first is the one whose version is told."""
    steps = 10_000
    """How many are recorded, unless fewer are asked for: few where each is slow."""
    rest = 0.0
    """Seconds in which its threads come to rest after a flush, so that others can be timed; in no figure of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @classmethod
    def installed(cls) -> bool:
        return all(importlib.util.find_spec(name) for name in cls.needs)

    @classmethod
    def version(cls) -> str:
        return importlib.metadata.version(cls.needs[0]) if cls.needs else ""

    def log(self, step: int, row: Row) -> None:
        """What the training loop calls."""
        raise NotImplementedError

    def flush(self) -> None:
        """Have all written that waits, where the peer can be told to."""

    def close(self) -> None:
        """End the run; all is on the disk afterwards."""

    def read(self) -> int:
        """Read every recorded value; the number of steps found."""
        raise NotImplementedError


class JsonLines(Peer):
    """What is written in five minutes by those who want no library: an object a line, flushed."""

    title = "JSON lines"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._file = (folder / "log.jsonl").open("w")

    def log(self, step: int, row: Row) -> None:
        values = {name: row[name] if name in SCALARS else row[name].tolist() for name in row}
        self._file.write(json.dumps({"step": step, **values}) + "\n")
        self._file.flush()

    def close(self) -> None:
        self._file.close()

    def read(self) -> int:
        with (self.folder / "log.jsonl").open() as file:
            return len([json.loads(line) for line in file])


class LightningCsv(Peer):
    """Lightning's CSVLogger, which saves each hundred steps."""

    title = "Lightning CSVLogger, scalars"
    needs = ("lightning",)

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        from lightning.pytorch.loggers import CSVLogger

        self._logger = CSVLogger(folder, flush_logs_every_n_steps=100)

    def log(self, step: int, row: Row) -> None:
        self._logger.log_metrics(flatten(row), step=step)

    def close(self) -> None:
        self._logger.finalize("success")

    def read(self) -> int:
        with next(self.folder.rglob("metrics.csv")).open(newline="") as file:
            return len([{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)])


class TensorBoard(Peer):
    """PyTorch's SummaryWriter: a scalar each, a histogram a vector."""

    title = "TensorBoard, histograms"
    needs = ("tensorboard", "torch")
    steps = 1_000

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        from torch.utils.tensorboard import SummaryWriter

        self._writer = SummaryWriter(str(folder))

    def log(self, step: int, row: Row) -> None:
        for name, value in row.items():
            if name in SCALARS:
                self._writer.add_scalar(name, value, step)
            else:
                self._writer.add_histogram(name, value, step)

    def flush(self) -> None:
        self._writer.flush()

    def close(self) -> None:
        self._writer.close()

    def read(self) -> int:
        from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

        found = EventAccumulator(str(self.folder), size_guidance={"scalars": 0, "histograms": 0}).Reload()
        tags = found.Tags()
        counts = {len(found.Scalars(name)) for name in tags["scalars"]}
        return min(counts | {len(found.Histograms(name)) for name in tags["histograms"]})


class Wandb(Peer):
    """Weights & Biases in offline mode. It has no reader for its file; `records` is one."""

    title = "W&B offline, histograms"
    needs = ("wandb",)
    steps = 2_000
    rest = 0.2

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        import wandb

        self._histogram = wandb.Histogram
        self._run = wandb.init(mode="offline", project="bench", dir=str(folder))

    def log(self, step: int, row: Row) -> None:
        values = {name: row[name] if name in SCALARS else self._histogram(row[name]) for name in row}
        self._run.log(values, step=step)

    def close(self) -> None:
        self._run.finish()

    def read(self) -> int:
        from wandb.proto.wandb_internal_pb2 import Record

        found = []
        for data in records(next(self.folder.rglob("*.wandb"))):
            record = Record.FromString(data)
            if record.WhichOneof("record_type") == "history":
                found.append([json.loads(item.value_json) for item in record.history.item])
        return len(found)


def records(path: Path) -> Iterator[bytes]:
    """The records of a .wandb file: LevelDB's log format after a header of 7 bytes."""
    data = path.read_bytes()
    at, parts = 7, []
    while at + 7 <= len(data):
        if 32768 - at % 32768 < 7:  # no record's header begins so near the end of a block
            at += 32768 - at % 32768
            continue
        size, kind = int.from_bytes(data[at + 4 : at + 6], "little"), data[at + 6]
        parts.append(data[at + 7 : at + 7 + size])
        at += 7 + size
        if kind in (1, 4):  # whole, or the last part of one
            yield b"".join(parts)
            parts = []


class Trackio(Peer):
    """Trackio on its local SQLite."""

    title = "trackio, histograms"
    needs = ("trackio",)
    steps = 2_000
    rest = 0.7

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        os.environ["TRACKIO_DIR"] = str(folder)
        import trackio

        self._histogram = trackio.Histogram
        self._run = trackio.init(project="bench", name="bench", embed=False)

    def log(self, step: int, row: Row) -> None:
        values = {name: row[name] if name in SCALARS else self._histogram(row[name]) for name in row}
        self._run.log(values, step=step)

    def close(self) -> None:
        import trackio

        trackio.finish()

    def read(self) -> int:
        from trackio.sqlite_storage import SQLiteStorage

        return len(SQLiteStorage.get_logs("bench", "bench"))


class MlflowSqlite(Peer):
    """MLflow on SQLite, its default."""

    title = "MLflow, SQLite, scalars"
    needs = ("mlflow",)
    steps = 60
    address = "sqlite:///{}/mlflow.db"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        import mlflow

        self._mlflow = mlflow
        mlflow.set_tracking_uri(self.address.format(folder))
        self._run = mlflow.start_run()
        self._names: tuple[str, ...] = ()

    def log(self, step: int, row: Row) -> None:
        values = flatten(row)
        self._mlflow.log_metrics(values, step=step)
        self._names = tuple(values)

    def close(self) -> None:
        self._mlflow.end_run()

    def read(self) -> int:
        client, run = self._mlflow.MlflowClient(), self._run.info.run_id
        return min(len(client.get_metric_history(run, name)) for name in self._names)


class MlflowFiles(MlflowSqlite):
    """MLflow on plain files, a file a metric: what it did by default before, and does now when told to."""

    title = "MLflow, files, scalars"
    steps = 100
    address = "file:{}/mlruns"

    def __init__(self, folder: Path) -> None:
        os.environ["MLFLOW_ALLOW_FILE_STORE"] = "true"
        super().__init__(folder)


PEERS: dict[str, type[Peer]] = {
    "jsonl": JsonLines,
    "csv": LightningCsv,
    "trackio": Trackio,
    "wandb": Wandb,
    "tensorboard": TensorBoard,
    "mlflow-files": MlflowFiles,
    "mlflow": MlflowSqlite,
}
