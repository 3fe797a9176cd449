"""What each table of Asperti & Trentin 2020 is, and what a run gives to it. A table is a class and a line in KINDS."""

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from typing import Any

from analysis.tables.members import REGULARISED, RENORMALISED, Member
from analysis.tables.published import published
from analysis.tables.shape import Entry, Key


class Kind(ABC):
    """One of the tables."""

    title: str
    data: str
    """What the paper's was trained on, as `data.name` of a config has it."""
    headings: tuple[str, ...]
    columns: tuple[str, ...]

    @abstractmethod
    def of_paper(self, row: Mapping[str, str], number: int) -> tuple[tuple[Key, ...], tuple[Key, ...]]:
        """Place and keys of a printed row, the `number`th from 0."""

    @abstractmethod
    def of_run(self, member: Member) -> Iterator[Entry]:
        """What a run gives to the table."""


class Epochs(Kind):
    """Table 1: how the figures change while it trains."""

    title = "CIFAR-10, over the epochs of stage 1"
    data = "cifar10"
    headings = ("epochs",)
    columns = ("REC", "GEN-1", "GEN-2", "mse", "variance_law")

    def of_paper(self, row: Mapping[str, str], number: int) -> tuple[tuple[Key, ...], tuple[Key, ...]]:
        """The epoch."""
        epochs = int(row["epochs"])
        return (epochs,), (epochs,)

    def of_run(self, member: Member) -> Iterator[Entry]:
        """A line for each epoch that it was evaluated after."""
        for epochs, values in member.by_epoch.items():
            yield Entry((epochs,), (_whole(epochs),), values)


class Summary(Kind):
    """Tables 2 and 4: what models end with."""

    headings = ("model", "epochs")
    columns = ("REC", "GEN-1", "GEN-2")

    def __init__(self, number: int, title: str, data: str) -> None:
        self.title, self.data = title, data
        self._places = {row["key"]: i for i, row in enumerate(published(number).rows)}

    def of_paper(self, row: Mapping[str, str], number: int) -> tuple[tuple[Key, ...], tuple[Key, ...]]:
        """The model and its epochs, in the order printed."""
        return (number, ""), (row["model"], int(row["epochs"]))

    def of_run(self, member: Member) -> Iterator[Entry]:
        """A line of the run, beside the paper's model that it is; one more where its latents were normalised."""
        if math.isnan(member.epochs):
            return
        balance, model = str(member.setting("balance", "name")), _model(member)
        yield self._entry(balance, model, member, member.final)
        if RENORMALISED in member.final:
            values = {**member.final, "GEN-2": member.final[RENORMALISED]}
            yield self._entry(f"{balance}, renormalised", f"{model}, latents normalised", member, values)

    def _entry(self, key: str, model: str, member: Member, values: Mapping[str, float]) -> Entry:
        place = (self._places[key], "") if key in self._places else (len(self._places), model)
        return Entry(place, (model, _whole(member.epochs)), values)


class Configurations(Kind):
    """Table 3: four networks on CelebA, γ learned or computed, after some, more and most epochs."""

    title = "CelebA, four models, γ learned and computed"
    data = "celeba"
    headings = ("model", "epochs", "γ")
    columns = ("REC", "GEN-1", "GEN-2", "mse", "variance_law")

    def of_paper(self, row: Mapping[str, str], number: int) -> tuple[tuple[Key, ...], tuple[Key, ...]]:
        """Model, epochs of both stages, and how γ is found."""
        keys = (int(row["model"]), f"{row['epochs']}/{row['epochs_stage2']}", row["gamma"])
        return _place(*keys), keys

    def of_run(self, member: Member) -> Iterator[Entry]:
        """A line of its last evaluation, and one for each of the paper's epochs that it was evaluated after."""
        model = model_of_table_3(member.setting("network"))
        for epochs, values in member.by_epoch.items():
            if epochs == member.epochs or epochs in self._epochs():
                followed = member.has_second and ("GEN-2" in values or epochs == member.planned)
                second = member.setting("stage2", "epochs") if followed else None
                named = f"{_whole(epochs)}" + (f"/{second}" if second else "")
                keys = (model or "other", named, str(member.setting("balance", "name") or "other"))
                yield Entry(_place(*keys), keys, values)

    def _epochs(self) -> set[int]:
        return {int(row["epochs"]) for row in published(3).rows}


class Rates(Kind):
    """Table 5: what the learning rate does."""

    title = "CIFAR-10, the learning rate"
    data = "cifar10"
    headings = ("lr",)
    columns = ("inactive", "REC", "GEN-1", "GEN-2", "mse")

    def of_paper(self, row: Mapping[str, str], number: int) -> tuple[tuple[Key, ...], tuple[Key, ...]]:
        """The rate, the highest first."""
        rate = float(row["lr"])
        return (-rate,), (rate,)

    def of_run(self, member: Member) -> Iterator[Entry]:
        """The line of its rate."""
        rate = member.setting("stage1", "lr") or member.setting("lr")
        if isinstance(rate, int | float) and not math.isnan(member.epochs):
            yield Entry((-float(rate),), (float(rate),), member.final)


def _model(member: Member) -> str:
    """A model as tables 2 and 4 call it, by how the run balances its loss."""
    balance = member.setting("balance", "name")
    if balance is None:
        return member.name
    if str(balance).startswith(REGULARISED):
        kind = str(balance).removeprefix(REGULARISED)
        return f"RAE-{kind if kind == 'l2' else kind.upper()}, {member.setting('network', 'latents')} latents"
    if balance == "wae-mmd":
        return f"WAE-MMD, {member.setting('network', 'latents')} latents"
    gamma = " γ" if balance in ("computed", "average", "learned", "fixed", "optimal") else ""
    return f"{'2S-VAE' if member.has_second else 'VAE'}, {balance}{gamma}"


def model_of_table_3(network: Any) -> int | None:
    """The model of table 3 that a network is; None where it is none of them."""
    if not isinstance(network, Mapping) or network.get("name") != "resnet":
        return None
    scales, latents, blocks = (network.get(key) for key in ("num_scale", "latents", "block_per_scale"))
    down, up = bool(network.get("l2_down")), bool(network.get("l2_up") or network.get("l2_scale"))
    models: dict[tuple[Any, ...], int] = {
        (4, 64, 1, False, False): 1,
        (4, 64, 1, False, True): 2,
        (4, 64, 2, True, False): 3,
        (3, 128, 1, False, False): 4,
    }
    return models.get((scales, latents, blocks, down, up))


def _place(model: Key, epochs: str, gamma: str) -> tuple[Key, ...]:
    first = epochs.partition("/")[0]
    return (model if isinstance(model, int) else math.inf, float(first), gamma == "computed", gamma)


def _whole(epochs: float) -> Key:
    return int(epochs) if epochs == int(epochs) else round(epochs, 2)


KINDS: dict[int, Kind] = {
    1: Epochs(),
    2: Summary(2, "CIFAR-10, what models end with", "cifar10"),
    3: Configurations(),
    4: Summary(4, "CelebA, what models end with", "celeba"),
    5: Rates(),
}
"""By their numbers in the paper."""
