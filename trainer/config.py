"""What a training is set to, as sections of typed values.

A key is dotted and says where it belongs: `stage1.lr`, `network.latents`, `seed`. Knows neither torch nor data, nor
where a value comes from (trainer/settings.py).
"""

import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct, inspect

from vaemon.thresholds import DEFAULT, Thresholds

Count = Annotated[int, Meta(ge=1)]
CountOrNone = Annotated[int, Meta(ge=0)]
Positive = Annotated[float, Meta(gt=0, lt=1e12)]
NotNegative = Annotated[float, Meta(ge=0, lt=1e12)]
Tree = dict[str, Any]


class Data(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which images are trained on."""

    name: str = "shapes"
    path: str = ""
    """Where they are; `--data` sets it. Empty for images that are built in."""
    size: CountOrNone = 0
    """Pixels a side; 0: as the images are."""
    limit: CountOrNone = 0
    """At most so many images each to train and to test on; 0: all."""
    dataset: str = ""
    """arrays: which array of an .npz or HDF5 file; NAME, or NAME,NAME for those to train and to test on. Empty: those
    named train and test, or the only one."""
    pad: CountOrNone = 0
    """Black pixels added at each edge: 2 makes 32 of MNIST's 28, which the Resnet needs."""
    resize: Literal["nearest", "bilinear", "bicubic"] = "bilinear"
    """celeba, folder: how pictures are brought to `size`; the last two are antialiased, nearest gives jaggies."""
    colour: Literal["stored", "grey", "rgb"] = "stored"
    """Pictures: one channel or three for all; `stored`: as they are, which must be alike."""
    skip_bad: bool = False
    """Pictures: leave out those that cannot be read; else they are an error."""
    jpeg_roundtrip: bool = False
    """cifar10: send each image, to train and to test on, once through JPEG (quality 75, 4:2:0 chroma), as the published
    code does: the paper's figures are of such images. Not for images that are JPEG already."""
    place: Literal["auto", "device", "host"] = "auto"
    """Where training images lie while a GPU trains: on it (device), or in this machine's memory or files (host), from
    where it is brought each batch. auto: on it, unless they would take more than half of its free memory."""


class Network(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The first stage's encoder and decoder (trainer/networks/). Who takes which option: trainer/options.py."""

    name: Literal["resnet", "infogan", "wae", "dense"] = "resnet"
    latents: Count = 64
    base_dim: Count = 32
    """resnet: channels at the image's own side; they double at each halving."""
    fc_dim: Count = 512
    """resnet: width of the encoder's fully connected block."""
    num_scale: Count = 3
    """resnet: scale blocks of the encoder; the decoder has one at each side from 4 pixels on."""
    block_per_scale: Count = 1
    """resnet: residual blocks a scale block."""
    depth_per_block: Count = 2
    """resnet: convolutions a residual block, its shortcut aside."""
    conv_dim: CountOrNone = 0
    """infogan, wae: channels of the first convolution; all other widths follow. 0: as published, 64 and 128."""
    l2_down: NotNegative = 0.0
    """resnet, infogan, wae: c of c Σ w² in the loss, w the kernels of the encoder's down-sampling convolutions."""
    l2_up: NotNegative = 0.0
    """resnet, infogan, wae: the same of the decoder's up-sampling convolutions."""
    l2_scale: NotNegative = 0.0
    """resnet: the same of the convolutions in the decoder's scale blocks, shortcuts among them."""
    hidden: tuple[Count, ...] = (256, 64)
    """dense: widths of the encoder's layers; the decoder has them in reverse."""


class Balance(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How reconstruction and KL are weighed (trainer/balance/). Who takes which option: trainer/options.py."""

    name: Literal[
        "computed",
        "average",
        "learned",
        "fixed",
        "optimal",
        "beta",
        "linear",
        "cyclical",
        "free-bits",
        "geco",
        "rae-l2",
        "rae-sn",
        "rae-gp",
        "wae-mmd",
        "vampprior",
    ] = "computed"
    gamma_squared: NotNegative = 0.0
    """γ² in mse/(2γ²), where it is fixed. `balance.gamma` sets it, too, to its square."""
    momentum: Annotated[float, Meta(ge=0, lt=1)] = 0.99
    """computed, average, geco: weight of the past in the running mean. Choosing geco sets 0.9."""
    beta: NotNegative = 0.0
    """beta: weight of KL against the squared error of a sample."""
    warm_up: NotNegative = 0.0
    """linear: epochs until KL has its whole weight; in each stage."""
    cycles: Count = 4
    """cyclical: of a stage."""
    rise: Annotated[float, Meta(gt=0, le=1)] = 0.5
    """cyclical: share of a cycle in which the weight grows."""
    floor: NotNegative = 0.0
    """free-bits: nats that each latent has for nothing."""
    tolerance: NotNegative = 0.0
    """geco: the mse to be reached."""
    rate: Positive = 0.01
    """geco: the most by which the logarithm of the multiplier grows in a step."""
    code_weight: NotNegative = 0.05
    """rae-…: weight of ½ ‖z‖² against the squared error of a sample. Choosing one of them sets its own."""
    decoder_weight: NotNegative = 3e-3
    """rae-l2, rae-gp: weight of what is held against the decoder. Choosing one of them sets its own."""
    divergence_weight: NotNegative = 200.0
    """wae-mmd: weight of the codes' divergence from the prior against the squared error of a sample."""
    pseudo_inputs: Count = 500
    """vampprior: learned images whose posteriors make up the prior."""
    pseudo_mean: Annotated[float, Meta(ge=0, le=1)] = 0.05
    """vampprior: about which grey they begin, with 0 black and 1 white."""
    pseudo_deviation: Annotated[float, Meta(gt=0, le=1)] = 0.01
    """vampprior: how far their values are spread about it."""


class Stage1(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the VAE of the images is trained."""

    epochs: Count = 1
    max_steps: CountOrNone = 0
    """Stop after so many steps, even within an epoch; 0: no limit."""
    batch: Count = 100
    lr: Positive = 1e-4
    """Adam's learning rate at the start."""
    halve_every: CountOrNone = 0
    """Epochs after which the learning rate is halved, again and again; 0: never."""
    kl_weight: NotNegative = 1.0


class Stage2(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the VAE of the latents is trained."""

    enabled: bool = True
    epochs: Count = 1
    max_steps: CountOrNone = 0
    batch: Count = 100
    lr: Positive = 1e-4
    halve_every: CountOrNone = 0
    kl_weight: NotNegative = 1.0
    second_dim: Count = 1024
    """Width of its layers."""
    second_depth: Count = 3
    """Layers each of its encoder and decoder, heads aside."""


class Checkpoint(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When the state of a training is saved; at the end of a stage and when stopped it is in any case."""

    seconds: Positive = 60.0


class Evaluation(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When figures are taken over test images, and samples made; at the end of a stage they are in any case."""

    every: Count = 50
    """Epochs between two; up to there, after 1, 2, 4, 8, …, too."""
    images: CountOrNone = 0
    """Test images that the figures are taken over, chosen by the seed; 0: all."""


class Judging(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """By what the latents of the run are judged; each is told of where it has its default, in vaemon/thresholds.py."""

    inactive: NotNegative = DEFAULT.inactive
    unit: NotNegative = DEFAULT.unit
    wake: NotNegative = DEFAULT.wake
    doze: NotNegative = DEFAULT.doze
    collapsed: NotNegative = DEFAULT.collapsed
    collapsed_kl: NotNegative = DEFAULT.collapsed_kl
    hold: CountOrNone = DEFAULT.hold
    smoothing: NotNegative = DEFAULT.smoothing
    ignored: NotNegative = DEFAULT.ignored
    law: NotNegative = DEFAULT.law
    most: NotNegative = DEFAULT.most
    fewer: NotNegative = DEFAULT.fewer
    lasting: CountOrNone = DEFAULT.lasting
    grace: CountOrNone = DEFAULT.grace


class Config(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything that a training is set to."""

    seed: CountOrNone = 0
    device: str = "auto"
    """auto (CUDA where there is one, else the CPU), or as torch names it: cpu, cuda, cuda:1, mps."""
    threads: CountOrNone = 0
    """CPU threads; 0: as torch chooses."""
    precision: Literal["float32", "bfloat16"] = "float32"
    """bfloat16: convolutions and wide layers in bfloat16, everything else in float32."""
    graph: bool = False
    """On a single GPU: launch each step at one stroke, as a CUDA graph. Not tried on a GPU yet, and hence not usual."""
    data: Data = Data()
    network: Network = Network()
    balance: Balance = Balance()
    stage1: Stage1 = Stage1()
    stage2: Stage2 = Stage2()
    checkpoint: Checkpoint = Checkpoint()
    evaluation: Evaluation = Evaluation()
    thresholds: Judging = Judging()


def _keys(kind: type[Struct], prefix: str = "") -> dict[str, inspect.Type]:
    found: dict[str, inspect.Type] = {}
    described = inspect.type_info(kind)
    assert isinstance(described, inspect.StructType)
    for field in described.fields:
        if isinstance(field.type, inspect.StructType):
            found |= _keys(field.type.cls, f"{prefix}{field.name}.")
        else:
            found[prefix + field.name] = field.type
    return found


KEYS = _keys(Config)
"""Every dotted key, and the type of what it takes."""

MAY_CHANGE = frozenset(
    [f"stage{n}.{key}" for n in (1, 2) for key in ("epochs", "max_steps", "lr", "halve_every", "kl_weight")]
    + ["stage2.enabled", "checkpoint.seconds", "evaluation.every", "data.path", "data.place"]
    + ["device", "threads", "precision", "graph"]
)
"""What may be set anew when a run goes on; the rest would make another run of it."""


def differences(one: Config, other: Config) -> dict[str, tuple[Any, Any]]:
    """The dotted keys that make another run of it, with their values in both; those in MAY_CHANGE do not."""
    before, after = flattened(to_tree(one)), flattened(to_tree(other))
    return {key: (before[key], after[key]) for key in KEYS if before[key] != after[key] and key not in MAY_CHANGE}


def thresholds_of(config: Config) -> Thresholds:
    """By what the latents are judged. Raises UsageError where that makes no sense."""
    return Thresholds(**msgspec.structs.asdict(config.thresholds))


def to_tree(config: Config) -> Tree:
    """The config as nested tables that JSON and TOML take."""
    return dict(json.loads(msgspec.json.encode(config)))


def flattened(tree: Mapping[str, Any], prefix: str = "") -> Tree:
    """Nested tables as dotted keys and values, in their order."""
    flat: Tree = {}
    for name, value in tree.items():
        flat |= flattened(value, f"{prefix}{name}.") if isinstance(value, Mapping) else {prefix + name: value}
    return flat


def nested(flat: Mapping[str, Any]) -> Tree:
    """Dotted keys and values as nested tables."""
    tree: Tree = {}
    for key, value in flat.items():
        *sections, last = key.split(".")
        table = tree
        for section in sections:
            table = table.setdefault(section, {})
        table[last] = value
    return tree
