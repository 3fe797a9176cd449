"""Which channel each name of another program's becomes."""

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from vaemon.channels import CHANNELS, POSTERIOR
from vaemon.errors import UnknownName, UsageError
from vaemon.recorder.row import LONGEST_NAME, RESERVED

ALIASES = {
    "kl": ("kld", "kl_loss", "loss_kl", "kl_div", "kl_divergence"),
    "loss": ("total_loss", "loss_total", "train_loss", "loss_train"),
    "mse": ("mse_loss", "loss_mse"),
    "lr": ("learning_rate",),
}
"""Other words for a channel."""
_BY_WORD = {word: name for name in CHANNELS for word in (name, *ALIASES.get(name, ()))}
HELD_OUT = frozenset({"val", "valid", "validation", "test", "eval", "evaluation", "dev"})
"""What is measured on other data than is trained on is another channel."""
_TOO_MANY = 20


class Assigned(NamedTuple):
    """What each name becomes."""

    scalars: dict[str, str]
    """Channels with a number a row, and the name that each comes from."""
    latents: dict[str, str]
    """Likewise, channels with a number for each latent variable."""
    arrays: tuple[str, ...]
    """Names whose values are neither."""
    size: int
    """How many latent variables there are."""
    told: tuple[str, ...]
    """What somebody may want otherwise."""


def assign(shapes: Mapping[str, tuple[int, ...]], chosen: Mapping[str, str]) -> Assigned:
    """Find a channel for each name.

    A name that is a channel of vaemon's, or ends in "/" and one, or in another word for one (`ALIASES`), becomes it,
    unless it tells of other data (`HELD_OUT`) or several would; any other is a channel of its own. Vectors become
    latent channels where one of them is a channel of the posterior, or was chosen to be one, and they are as long.

    Args:
        shapes: the names, and the shape of their values.
        chosen: channels by name, which go before the rule; names that there are not are passed over.

    Raises:
        UsageError: a channel chosen is not for values of that shape; or vectors of different lengths were to be
            latent channels of one run.
    """
    wanted, told = _wanted(shapes, chosen)
    lengths = {
        shapes[name][0]: name
        for name, channel in wanted.items()
        if len(shapes[name]) == 1 and (channel in POSTERIOR or name in chosen)
    }
    if len(lengths) > 1:
        said = ", ".join(f"{name} has {length}" for length, name in lengths.items())
        raise UsageError(f"a run has one number for each latent variable, but {said}; map only those of one length")
    size = next(iter(lengths), 0)
    found = Assigned({}, {}, (), size, ())
    arrays = []
    for name, shape in shapes.items():
        channel = wanted.get(name)
        if channel is None:
            told.append(f"{name[:60]!r} cannot be a channel's name; --map gives it another")
        elif not shape:
            found.scalars[channel] = name
        elif size and shape == (size,):
            found.latents[channel] = name
        else:
            arrays.append(name)
    hint = "; --map NAME=mean_variance and the like makes vectors latent channels" if arrays and not size else ""
    told += [f"{_listed(arrays)} kept as arrays beside the rows{hint}"] if arrays else []
    return found._replace(arrays=tuple(arrays), told=tuple(told))


def check_there(chosen: Mapping[str, str], names: Iterable[str]) -> None:
    """See that there is what was chosen. Raises UnknownName."""
    known = set(names)
    for name in chosen:
        if name not in known:
            raise UnknownName("tag", name, known)


def check_chosen(chosen: Mapping[str, str]) -> None:
    """See that what was chosen can be. Raises UsageError."""
    for name, channel in chosen.items():
        if not _can_be(channel):
            raise UsageError(f"--map {name}={channel}: no channel can be named {channel!r} by others than the recorder")
    for channel in set(chosen.values()):
        several = [name for name, each in chosen.items() if each == channel]
        if len(several) > 1:
            raise UsageError(f"--map: {' and '.join(several)} cannot both be {channel!r}")


def _wanted(
    shapes: Mapping[str, tuple[int, ...]], chosen: Mapping[str, str]
) -> tuple[dict[str, str | None], list[str]]:
    """The channel of each name, None where it can have none."""
    claims: dict[str, list[str]] = {}
    for name, shape in shapes.items():
        channel = chosen.get(name) or by_rule(name, shape)
        if name in chosen:
            _check_kind(name, channel, shape)
        claims.setdefault(channel, []).append(name)
    found: dict[str, str | None] = {}
    told = []
    for channel, names in claims.items():
        meant = [name for name in names if name in chosen] or [name for name in names if name == channel]
        first = names[0] if len(names) == 1 else meant[0] if meant else None
        if first is None:
            told.append(f"{_listed(names)} could each be {channel!r}, and keep their names; --map says which is meant")
        for name in names:
            found[name] = channel if name == first else _free(_own(name), claims)
    return {name: channel if channel and _can_be(channel) else None for name, channel in found.items()}, told


def by_rule(name: str, shape: tuple[int, ...]) -> str:
    """The channel that a name means by itself; its own where it means none."""
    parts = [part.lower() for part in re.split(r"[/.:]", name)]
    channel = _BY_WORD.get(parts[-1])
    words = {word for part in parts for word in re.split(r"[_\-]", part)}
    if channel is None or channel in RESERVED or words & HELD_OUT:
        return _own(name)
    return channel if (CHANNELS[channel].kind == "latent") is (len(shape) == 1) else _own(name)


def _own(name: str) -> str:
    # A name of vaemon's own stands for what vaemon means by it.
    return f"{name}'" if name in CHANNELS else name


def _free(name: str, taken: Mapping[str, object]) -> str:
    while name in taken:
        name += "'"
    return name


def _check_kind(name: str, channel: str, shape: tuple[int, ...]) -> None:
    """See that a channel chosen can have values of that shape. Raises UsageError."""
    listed = CHANNELS.get(channel)
    if len(shape) > 1:
        raise UsageError(
            f"--map {name}={channel}: its values have the shape {shape}; a channel's are numbers or vectors"
        )
    if listed is not None and (listed.kind == "latent") is not (len(shape) == 1):
        kind = "one number for each latent variable" if listed.kind == "latent" else "one number"
        raise UsageError(f"--map {name}={channel}: {channel} is {kind}, {name} has values of shape {shape}")


def _can_be(channel: str) -> bool:
    return channel not in ("", *RESERVED) and len(channel.encode(errors="replace")) <= LONGEST_NAME


def _listed(names: list[str]) -> str:
    return ", ".join(names[:_TOO_MANY]) + (f" and {len(names) - _TOO_MANY:,} more" if len(names) > _TOO_MANY else "")
