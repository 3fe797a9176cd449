"""A wire to be measured, as an ssh ProxyCommand: HOST PORT COUNTS DELAY. Counts what passes, and holds it for a while.

COUNTS is a file that is written anew ten times a second: bytes to HOST, bytes from it, CPU seconds this took.
"""

import os
import queue
import socket
import sys
import threading
import time
from pathlib import Path

CHUNK = 65536


class Way:
    """One of the two directions."""

    def __init__(self, source: int, sink: int, delay: float) -> None:
        self.count = 0
        self.done = threading.Event()
        self._held: queue.SimpleQueue[tuple[float, bytes]] = queue.SimpleQueue()
        self._source, self._sink, self._delay = source, sink, delay
        threading.Thread(target=self._take, daemon=True).start()
        threading.Thread(target=self._give, daemon=True).start()

    def _take(self) -> None:
        data = b"?"
        while data:
            try:
                data = os.read(self._source, CHUNK)
            except OSError:
                data = b""
            self.count += len(data)
            self._held.put((time.perf_counter() + self._delay, data))

    def _give(self) -> None:
        while True:
            due, data = self._held.get()
            time.sleep(max(due - time.perf_counter(), 0.0))
            if not data:
                break
            try:
                while data:
                    data = data[os.write(self._sink, data) :]
            except OSError:
                break
        self.done.set()


def main() -> int:
    host, port, counts, delay = sys.argv[1:]
    there = socket.create_connection((host, int(port)))
    there.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    to = Way(0, there.fileno(), float(delay))
    back = Way(there.fileno(), 1, float(delay))
    while not (to.done.is_set() or back.done.is_set()):
        told = Path(counts).with_suffix(".new")
        told.write_text(f"{to.count} {back.count} {time.process_time()}")
        told.replace(counts)
        back.done.wait(0.1)
    return 0


if __name__ == "__main__":
    sys.exit(main())
