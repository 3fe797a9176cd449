"""Frames: pieces of known length in a stream of bytes that began with a hello.

    [noise up to 64 kB] MAGIC | length, 4 bytes | hello, JSON | length | frame | length | frame | …

Lengths are big-endian. The frames after the hello are one zlib stream each way, flushed after each frame, so that what
every answer has in common is sent once. A frame of length 0 is a heartbeat: the far end is at work, the answer is not
there yet. Knows nothing of what the frames say.
"""

import json
import struct
import threading
import zlib
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass

from vaemon.errors import VaemonError
from vaemon.version import __version__

MAGIC = b"\x00vaemon agent\x00\x17"
"""What no banner of a shell has; the hello follows."""
PROTOCOL = 1
"""Of the hello, the frames and what they say; both ends must have the same."""
MOST_NOISE = 64 * 1024
"""Bytes before the hello that are passed over: shells greet."""
LONGEST_HELLO = 4096
LONGEST_QUESTION = 1 << 20
"""Bytes of a frame, unpacked, that an agent takes."""
LONGEST_ANSWER = 64 << 20
"""Bytes of a frame, unpacked, that a screen takes; the largest are sets of images."""
_LENGTH = struct.Struct(">I")
_CHUNK = 1 << 16


class WireError(VaemonError):
    """What came over the wire is not what was agreed on; the link must end."""


class CutOff(WireError):
    """The stream ended in the midst of a frame."""


@dataclass(frozen=True, slots=True)
class Hello:
    """Who an end is."""

    protocol: int = PROTOCOL
    vaemon: str = __version__


class FrameWriter:
    """Sends a hello, then frames. Safe from several threads."""

    def __init__(self, write: Callable[[bytes], object]) -> None:
        """Send with `write`, which takes all it is given."""
        self._write = write
        self._packer = zlib.compressobj(6)
        self._turn = threading.Lock()

    def greet(self) -> None:
        """Send the hello; before any frame."""
        hello = json.dumps(asdict(Hello())).encode()
        self._write(MAGIC + _LENGTH.pack(len(hello)) + hello)

    def send(self, frame: bytes) -> None:
        """Send a frame, which must not be empty."""
        with self._turn:
            packed = self._packer.compress(frame) + self._packer.flush(zlib.Z_SYNC_FLUSH)
            self._write(_LENGTH.pack(len(packed)) + packed)

    def beat(self) -> None:
        """Send a heartbeat."""
        with self._turn:
            self._write(_LENGTH.pack(0))


class FrameReader:
    """Receives a hello, then frames."""

    def __init__(self, read: Callable[[int], bytes], longest: int) -> None:
        """Receive with `read`.

        Args:
            read: waits for bytes, and returns some, at most as many as asked for; none at the end of the stream.
            longest: bytes that a frame may have, unpacked.
        """
        self._read = read
        self._longest = longest
        self._longest_packed = longest + longest // 1000 + 64  # what cannot be packed grows by a little
        self._held = bytearray()
        self._unpacker = zlib.decompressobj()

    def meet(self) -> Hello:
        """The other end's hello, whatever noise comes before it.

        Raises:
            EOFError: the stream ended before.
            WireError: there is none, or it is not of this protocol.
        """
        most = MOST_NOISE + len(MAGIC)
        while (at := self._held.find(MAGIC, 0, most)) < 0:
            if len(self._held) >= most:
                raise WireError(
                    f"no hello in the first {MOST_NOISE // 1024} kB; a shell's start-up file may write them"
                )
            self._more()
        del self._held[: at + len(MAGIC)]
        length = self._length()
        if length > LONGEST_HELLO:
            raise WireError(f"a hello of {length:,} bytes")
        told = self._take(length)
        try:
            hello = json.loads(told)
            protocol, version = int(hello["protocol"]), str(hello["vaemon"])[:40]
            found = Hello(protocol, "".join(c if c.isprintable() else "?" for c in version))
        except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
            raise WireError(f"a hello that cannot be read ({type(error).__name__})") from error
        if found.protocol != PROTOCOL:
            raise WireError(
                f"the far end has vaemon {found.vaemon} (protocol {found.protocol}), here is {__version__} (protocol "
                f"{PROTOCOL}); install the same version at both ends"
            )
        return found

    def __iter__(self) -> Iterator[bytes]:
        """Frame after frame until the stream ends; b"" is a heartbeat.

        Raises:
            WireError: one is cut off, too long, or damaged.
        """
        while True:
            if not self._held and not self._more_or_end():
                return
            try:
                length = self._length()
                if length > self._longest_packed:
                    raise WireError(f"a frame of {length:,} bytes, where {self._longest:,} are the most")
                yield self._unpacked(self._take(length)) if length else b""
            except EOFError:
                raise CutOff("a frame was cut off") from None

    def _unpacked(self, packed: bytes) -> bytes:
        try:
            frame = self._unpacker.decompress(packed, self._longest + 1)
        except zlib.error as error:
            raise WireError(f"a damaged frame ({error})") from error
        if len(frame) > self._longest:
            raise WireError(f"a frame of more than {self._longest:,} bytes, unpacked")
        if not frame:
            raise WireError("a frame with nothing in it")
        return frame

    def _length(self) -> int:
        return int(_LENGTH.unpack(self._take(_LENGTH.size))[0])

    def _take(self, count: int) -> bytes:
        while len(self._held) < count:
            self._more()
        taken = bytes(self._held[:count])
        del self._held[:count]
        return taken

    def _more(self) -> None:
        if not self._more_or_end():
            raise EOFError

    def _more_or_end(self) -> bool:
        got = self._read(_CHUNK)
        self._held += got
        return bool(got)
