"""The published weights of Inception: which they are, where they are kept, and how that file fares. Without torch."""

import os
from pathlib import Path

from trainer.data.cache import place
from trainer.fetch.catalogue import File
from trainer.fetch.download import verify
from vaemon.diagnosis import Diagnosis, fine, warning
from vaemon.errors import NotFetched

SHA256 = "6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2"
PUBLISHED = File("pt_inception-2015-12-05-6726825d.pth", f"sha256:{SHA256}", 95_628_359)
MIRRORS = ("https://github.com/mseitzer/pytorch-fid/releases/download/fid_weights/",)
"""The release of pytorch-fid. The weights are Google's, of 2015-12-05, under the Apache License 2.0."""
VARIABLE = "VAEMON_INCEPTION"


def named_file() -> Path | None:
    """The file that the user says the weights are in."""
    return Path(os.path.expanduser(os.environ[VARIABLE])) if os.environ.get(VARIABLE) else None


def examine() -> Diagnosis:
    """Whether the weights are there, and are the ones published."""
    given, folder = named_file(), place()
    path = given or (folder / PUBLISHED.name if folder else None)
    facts = {"path": str(path) if path else None, "variable": given is not None}
    if path is None or (given is None and not path.exists()):
        text = f"not fetched yet; `vaemon fid` fetches {PUBLISHED.size / 1e6:.0f} MB when it first needs them"
        return fine("FID weights", text, whole=None, size=None, **facts)
    origin = f"{path} (${VARIABLE})" if given else str(path)
    advice = f"fetch {MIRRORS[0]}{PUBLISHED.name} anew" if given else "remove it: `vaemon fid` fetches it anew"
    try:
        size = path.stat().st_size
        verify(PUBLISHED, path)
    except OSError as error:
        return warning("FID weights", f"{origin}: {error.strerror}", advice, whole=False, size=None, **facts)
    except NotFetched:
        text = f"{origin}: {size:,} bytes, damaged or of another network: its sha256 is not the one published"
        return warning("FID weights", text, advice, whole=False, size=size, **facts)
    return fine("FID weights", f"{origin}: {size:,} bytes, sha256 as published", whole=True, size=size, **facts)
