"""The weights of Inception: where they are looked for, fetched from, and what says that they are the right ones."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import torch

from analysis.features.inception import Inception
from analysis.features.published import MIRRORS, PUBLISHED, VARIABLE, named_file
from trainer.data.cache import place
from trainer.fetch.download import fetch, verify
from vaemon.errors import NotFetched

Progress = Callable[[str], AbstractContextManager[Callable[[int, int], None]]]
"""Opens a bar under a name; gives what is told how many bytes are there, and of how many."""


def inception(given: Path | None, progress: Progress) -> Inception:
    """The network with the published weights, on the CPU.

    Args:
        given: the file; by default that of $VAEMON_INCEPTION, else that in the cache folder, where it is fetched to.
        progress: opens a bar, where it has to be fetched.

    Raises:
        NotFetched: the file is not there and cannot be fetched, or is another than the one published.
    """
    path = find(given, progress)
    try:
        return Inception(torch.load(path, map_location="cpu", weights_only=True))
    except (OSError, RuntimeError, ValueError) as error:
        raise NotFetched(f"{path} cannot be read as Inception's weights: {error}; {_how()}") from error


def find(given: Path | None, progress: Progress) -> Path:
    """The file of the weights, checked; it is fetched where nobody says where it is.

    Raises:
        NotFetched: it is not there and cannot be fetched, or is another than the one published.
    """
    named = given or named_file()
    if named is None:
        return _fetched(progress)
    origin = "--weights" if given else f"${VARIABLE}"
    try:
        size = named.stat().st_size
        verify(PUBLISHED, named)
    except OSError as error:
        raise NotFetched(f"no weights in {named} ({origin}): {error.strerror or error}; {_how()}") from error
    except NotFetched:
        raise NotFetched(
            f"{named} ({origin}, {size:,} bytes) is damaged, or holds the weights of another network: its sha256 is "
            f"not the published one; {_how()}"
        ) from None
    return named


def _fetched(progress: Progress) -> Path:
    folder = place()
    if folder is None:
        raise NotFetched(f"there is no home to keep Inception's weights in; {_how()}")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with progress("fetching Inception's weights") as told:
            fetch(PUBLISHED, MIRRORS, folder, lambda done: told(done, PUBLISHED.size))
    except OSError as error:
        raise NotFetched(
            f"cannot write Inception's weights to {folder}: {error.strerror or error}; {_how()}"
        ) from error
    except NotFetched as error:
        why = " ".join(str(error).split())
        raise NotFetched(f"FID needs Inception's weights: {why}; {_how()}") from None
    return folder / PUBLISHED.name


def _how() -> str:
    return (
        f"fetch {MIRRORS[0]}{PUBLISHED.name} ({PUBLISHED.size:,} bytes, {PUBLISHED.checksum}) and say --weights FILE "
        f"or set ${VARIABLE}; or compare without weights by --features pixels"
    )
