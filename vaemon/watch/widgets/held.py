"""The pictures that the terminal holds: each is sent once, and forgotten when others have taken its place."""

import random
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from itertools import count

from vaemon.batch import Array
from vaemon.png import png
from vaemon.watch.render.cells import Row
from vaemon.watch.render.kitty import FEWEST, MARKS, MOST, delete, placeholders, through_tmux, transmit
from vaemon.watch.render.pixels import Grain, Plan, extent, grid_pixels

HELD = 32
"""Pictures that the terminal holds, at most; those in sight are far fewer."""
AFAR = 200_000
"""Bytes that the pictures of a screen may take over a thin link, at most."""
LEAST, GAP = 24, 2
"""As of a `Grain`."""
USUAL = (10, 20)
"""Pixels of a cell, where the terminal does not tell."""


@dataclass(frozen=True, slots=True)
class _Held:
    number: int
    cells: int
    rows: int


class HeldPictures:
    """What a terminal that knows Kitty's protocol is told of pictures."""

    def __init__(self, write: Callable[[str], object], *, in_tmux: bool = False, afar: bool = False) -> None:
        """Hold none yet.

        Args:
            write: takes what is to be written to the terminal.
            in_tmux: whether that is a tmux which hands it on.
            afar: whether bytes are dear.
        """
        self._send = (lambda commands: write(through_tmux(commands))) if in_tmux else write
        self._afar = afar
        self._held: dict[Hashable, _Held | None] = {}  # the one seen longest ago first; None: too large to be sent
        # Other programs number theirs from 1 on.
        self._numbers = count(random.randrange(1, 1 << 16))

    def rows(self, key: Hashable, images: Array, made: Plan, grain: Grain, share: int = 1) -> list[Row] | None:
        """The rows in which the terminal draws samples; it is sent them where it does not hold them.

        Args:
            key: what tells the picture from all others, its size aside.
            images: uint8, (n, h, w, c), c 1 or 3.
            made: how they are laid out.
            grain: the pixels of the screen.
            share: pictures among which the bytes of a screen are shared out.

        Returns:
            None where the picture takes more cells, or bytes, than can be sent.
        """
        key = (key, made, grain)
        if key not in self._held:
            self._held[key] = self._sent(images, made, grain, share)
        held = self._held[key] = self._held.pop(key)
        self._forget(HELD)
        return placeholders(held.number, held.cells, held.rows) if held is not None else None

    def clear(self) -> None:
        """Have the terminal forget all of them."""
        self._forget(0)

    def _sent(self, images: Array, made: Plan, grain: Grain, share: int) -> _Held | None:
        rows, cells = extent(len(images), made, grain)
        if max(rows, cells) > len(MARKS):
            return None
        held = _Held(self._number(), cells, rows)
        commands = transmit(held.number, png(grid_pixels(images, made, grain)), cells, rows)
        if self._afar and len(commands) * share > AFAR:
            return None
        self._send(commands)
        return held

    def _number(self) -> int:
        first, last = divmod(next(self._numbers), MOST - FEWEST)
        return (first % 256) << 24 | FEWEST + last

    def _forget(self, most: int) -> None:
        while len(self._held) > most:
            held = self._held.pop(next(iter(self._held)))
            if held is not None:
                self._send(delete(held.number))


def grain_of_terminal() -> Grain:
    """The pixels of this terminal, as far as it tells without being asked."""
    across, down = USUAL
    try:
        import fcntl
        import struct
        import termios

        rows, cells, width, height = struct.unpack("HHHH", fcntl.ioctl(2, termios.TIOCGWINSZ, bytes(8)))
        if width >= cells > 0 and height >= rows > 0:
            across, down = width // cells, height // rows
    except (ImportError, OSError):
        pass
    return Grain(across, down, LEAST, GAP)
