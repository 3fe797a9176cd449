"""What a value of an event is: a number, an array, a distribution, images, a text, hyperparameters."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy.typing as npt

from vaemon.exchange.tensorboard import histograms, tensors
from vaemon.exchange.tensorboard.messages import HParamsData
from vaemon.exchange.tensorboard.weight import check_weight

Array = npt.NDArray[Any]


class Distribution(NamedTuple):
    """Of a histogram."""

    figures: Array
    """`histograms.FIGURES`."""


class Pictures(NamedTuple):
    """Images of one step, each a file of its own: PNG, JPEG or GIF."""

    encoded: tuple[bytes, ...]


class Text(NamedTuple):
    """One or more texts."""

    texts: tuple[str, ...]


class Settings(NamedTuple):
    """Hyperparameters by name."""

    values: dict[str, float | str | bool]


Value = float | Array | Distribution | Pictures | Text | Settings


def read_value(value: Any, plugin: str) -> Value | None:
    """What a message `Value` holds; None where that is nothing of these: audio, graphs, layouts.

    Args:
        value: the message.
        plugin: of TensorBoard's, for which the tag was written; "" where none was told.

    Raises:
        ValueError: it is not what its type says.
    """
    if value.HasField("simple_value"):
        return float(value.simple_value)
    if value.HasField("histo"):
        return _distribution(histograms.of_message(value.histo))
    if value.HasField("image"):
        return Pictures((value.image.encoded_image_string,))
    if plugin == "hparams":
        return _settings(value.metadata.plugin_data.content)
    return _of_tensor(value.tensor, plugin) if value.HasField("tensor") else None


def _of_tensor(tensor: Any, plugin: str) -> Value | None:
    if tensor.dtype == tensors.STRING:
        return _OF_TEXTS.get(plugin, _texts)(tensor)
    found = tensors.to_array(tensor)
    if plugin == "histograms":
        return _distribution(histograms.of_buckets(found))
    if found.ndim:
        return found
    beside = tensors.exact(tensor)
    return float(found) if beside is None else beside


def _distribution(figures: Array | None) -> Distribution | None:
    return Distribution(figures) if figures is not None else None


def _texts(tensor: Any) -> Value | None:
    return Text(tuple(each.decode(errors="replace") for each in tensor.string_val))


def _pictures(tensor: Any) -> Value | None:
    return Pictures(tuple(tensor.string_val[2:])) if len(tensor.string_val) > 2 else None  # width and height first


_OF_TEXTS: dict[str, Callable[[Any], Value | None]] = {"images": _pictures, "audio": lambda tensor: None}


def _settings(content: bytes) -> Value | None:
    check_weight(content, HParamsData.DESCRIPTOR)
    told = HParamsData.FromString(content)
    return Settings({one.key.decode(errors="replace"): _setting(one.value) for one in told.session_start_info.hparams})


def _setting(value: Any) -> float | str | bool:
    if value.HasField("bool_value"):
        return bool(value.bool_value)
    if value.HasField("string_value"):
        return str(value.string_value.decode(errors="replace"))
    return float(value.number_value)
