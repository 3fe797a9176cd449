"""vaemon: watch the latent variables of a Variational Autoencoder wake up, live, in the terminal.

The public names are loaded when first asked for, so that `import vaemon` costs nothing and needs no torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from vaemon.version import __version__

if TYPE_CHECKING:
    from vaemon.adapters.encoder import watch_encoder as watch_encoder
    from vaemon.recorder.recorder import Recorder as Recorder
    from vaemon.runfile.read import open_run as open_run
    from vaemon.runfile.selection import find_runs as list_runs
    from vaemon.thresholds import Thresholds as Thresholds

__all__ = ["Recorder", "Thresholds", "__version__", "list_runs", "open_run", "watch_encoder"]

_PLACES = {
    "Recorder": ("vaemon.recorder.recorder", "Recorder"),
    "open_run": ("vaemon.runfile.read", "open_run"),
    "Thresholds": ("vaemon.thresholds", "Thresholds"),
    "watch_encoder": ("vaemon.adapters.encoder", "watch_encoder"),
    "list_runs": ("vaemon.runfile.selection", "find_runs"),
}


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module 'vaemon' has no attribute {name!r}")
    module, attribute = _PLACES[name]
    return getattr(import_module(module), attribute)
