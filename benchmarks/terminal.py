"""A program in a terminal of its own: each chunk it writes with the time it came, its processes' memory and CPU."""

import contextlib
import fcntl
import os
import pty
import re
import signal
import struct
import subprocess
import termios
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

QUERIES = (
    (re.compile(rb"\x1b\[\?2026\$p"), b"\x1b[?2026;2$y"),  # frames can be taken whole
    (re.compile(rb"\x1b\[\?(?!2026)(\d+)\$p"), b"\x1b[?%s;0$y"),  # of other modes it knows nothing
    (re.compile(rb"\x1b\[6n"), b"\x1b[1;1R"),
    (re.compile(rb"\x1b\[0?c"), b"\x1b[?62;22c"),
    (re.compile(rb"\x1b\](10);\?"), b"\x1b]%s;rgb:ffff/ffff/ffff\x1b\\"),
    (re.compile(rb"\x1b\](11|12);\?"), b"\x1b]%s;rgb:0000/0000/0000\x1b\\"),
)
"""What a program may ask, and what an xterm-like terminal with a dark ground answers."""

ESCAPES = re.compile(
    rb"\x1b\[[0-9;:?<>=]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1bP.*?\x1b\\|\x1b[()].|\x1b.", re.S
)
KEPT = 400
"""Bytes of one chunk that are looked at again with the next, for a word may be parted."""
TICKS = os.sysconf("SC_CLK_TCK")


class Terminal:
    """Runs a command; a thread reads what it writes and answers what it asks."""

    def __init__(self, command: Sequence[str], *, size: tuple[int, int], environment: Mapping[str, str]) -> None:
        """Start `command` in a terminal of `size` columns and rows."""
        self._main, side = pty.openpty()
        self.resize(size)
        self.chunks: list[tuple[float, bytes]] = []
        """When each came (`time.perf_counter`), and its bytes."""
        told = {key: value for key, value in environment.items() if key not in ("NO_COLOR", "SSH_CONNECTION")}
        told |= {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
        self.began = time.perf_counter()
        self.process = subprocess.Popen(
            command, stdin=side, stdout=side, stderr=side, env=told, preexec_fn=lambda: os.login_tty(side)
        )
        os.close(side)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def resize(self, size: tuple[int, int]) -> None:
        """So many columns and rows from now on."""
        fcntl.ioctl(self._main, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))

    def type(self, keys: bytes) -> float:
        """Press keys; when."""
        now = time.perf_counter()
        os.write(self._main, keys)
        return now

    def _read(self) -> None:
        while True:
            try:
                chunk = os.read(self._main, 65536)
            except OSError:
                return  # the terminal is gone with its last process
            if not chunk:
                return
            self.chunks.append((time.perf_counter(), chunk))
            for asked, answer in QUERIES:
                for match in asked.finditer(chunk):
                    with contextlib.suppress(OSError):
                        os.write(self._main, answer % match.groups() if match.groups() else answer)

    def bytes_since(self, then: float) -> int:
        """Bytes written since that time."""
        return sum(len(chunk) for at, chunk in list(self.chunks) if at >= then)

    def first_since(self, then: float, *, patience: float, more_than: int = 0) -> float | None:
        """When the first chunk since that time came, of more than so many bytes; None where none came."""
        until = then + patience
        while time.perf_counter() < until:
            came = [at for at, chunk in self.chunks[-64:] if at > then and len(chunk) > more_than]
            if came:
                return came[0]
            time.sleep(0.001)
        return None

    def when(self, *marks: str) -> float | None:
        """Seconds from the start until all the marks had been written; None while they have not."""
        missing, tail = {mark.encode() for mark in marks}, b""
        for at, chunk in list(self.chunks):
            tail += chunk
            text = ESCAPES.sub(b"", tail)
            missing = {mark for mark in missing if mark not in text}
            if not missing:
                return at - self.began
            tail = tail[-KEPT:]
        return None

    def close(self) -> None:
        """End it and what it has begun, by force where it does not end when told to."""
        with contextlib.suppress(ProcessLookupError, subprocess.TimeoutExpired):
            os.killpg(self.process.pid, signal.SIGTERM)
            self.process.wait(5)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        os.close(self._main)


def processes(root: int) -> list[int]:
    """A process and all that it has begun."""
    found = [root]
    for pid in found:
        for children in Path(f"/proc/{pid}/task").glob("*/children"):
            with contextlib.suppress(OSError):
                found += [int(child) for child in children.read_text().split()]
    return found


def cpu_seconds(root: int) -> float:
    """CPU seconds that a process and its children have taken, in user and kernel."""
    total = 0.0
    for pid in processes(root):
        with contextlib.suppress(OSError):
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            total += sum(int(field) for field in fields[11:13]) / TICKS
    return total


def peak_mb(root: int) -> float:
    """Most resident memory that a process has had, MB; its children's added."""
    total = 0.0
    for pid in processes(root):
        with contextlib.suppress(OSError):
            told = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
            total += int(told[1]) * 1024 / 1e6 if told else 0.0
    return total
