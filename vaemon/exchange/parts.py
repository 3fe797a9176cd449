"""A file that is handed on in pieces, for libraries that write to one."""


class Parts:
    """Keeps what is written until it is taken."""

    closed = False

    def __init__(self) -> None:
        self._held: list[bytes] = []

    def write(self, data: bytes) -> int:
        """Take some bytes."""
        self._held.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """There is nothing to wait for."""

    def take(self) -> bytes:
        """What was written since it was last taken."""
        held, self._held = b"".join(self._held), []
        return held
