"""What the machine did while a benchmark ran: so that the page can say whether it was alone."""

import os
import resource
import time
from pathlib import Path


class Clock:
    """What the machine did since it was made: the seconds, and the processor's time, own and of others."""

    def __init__(self) -> None:
        self._began, self._own, self._all = time.monotonic(), _own_seconds(), _all_seconds()

    def took(self) -> str:
        """In words."""
        seconds = time.monotonic() - self._began
        return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.1f} min"

    def share_of_others(self) -> float | None:
        """Of all cores, what was taken by processes that are not of the benchmark; None where it is not told."""
        now = _all_seconds()
        if now is None or self._all is None:
            return None
        others = (now - self._all) - (_own_seconds() - self._own)
        return max(0.0, others / (time.monotonic() - self._began) / (os.cpu_count() or 1))


def _own_seconds() -> float:
    """CPU seconds of this process and of those below it that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def _all_seconds() -> float | None:
    """CPU seconds that the whole machine was at work, and that its host kept from it; None where there is no /proc."""
    told = Path("/proc/stat")
    if not told.exists():
        return None
    user, nice, system, _idle, _waiting, *others = (int(each) for each in told.read_text().split("\n")[0].split()[1:9])
    return (user + nice + system + sum(others)) / os.sysconf("SC_CLK_TCK")
