"""vaemon: watch the latent variables of a Variational Autoencoder wake up, live, in the terminal.

The public names are loaded when first asked for, so that `import vaemon` costs nothing and needs no torch.
"""

from typing import TYPE_CHECKING, Any

from vaemon.version import __version__

if TYPE_CHECKING:
    from vaemon.recorder.recorder import Recorder as Recorder
    from vaemon.runfile.read import open_run as open_run

__all__ = ["Recorder", "__version__", "open_run"]


def __getattr__(name: str) -> Any:
    if name == "Recorder":
        from vaemon.recorder.recorder import Recorder

        return Recorder
    if name == "open_run":
        from vaemon.runfile.read import open_run

        return open_run
    raise AttributeError(f"module 'vaemon' has no attribute {name!r}")
