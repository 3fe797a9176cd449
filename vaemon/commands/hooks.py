"""What an alert sets off outside the terminal: a command, a message to a web address. Neither is ever waited for."""

import json
import os
import queue
import shlex
import subprocess
import threading
import time
from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import urlsplit

from vaemon.errors import UsageError
from vaemon.view.alerts import Alert

MOST_CHILDREN = 8
"""Commands that run at the same time; a further one is left out."""
MOST_WAITING = 64
"""Alerts that wait for a hook that is slow; further ones are left out."""
WEBHOOK_SECONDS = 5.0
"""After so long a web address counts as not answering."""


class Occasion(NamedTuple):
    """An alert, and of which run."""

    run: str
    alert: Alert


Hook = Callable[[Occasion], None]
"""Tells someone of an alert; may take its time, and raises OSError or ValueError where that fails."""


class Hooks:
    """Runs hooks, each in a thread of its own, one alert after another."""

    def __init__(self, hooks: dict[str, Hook]) -> None:
        """Run these hooks, named by the options that asked for them."""
        self._waiting: dict[str, queue.Queue[Occasion]] = {}
        self._said: set[str] = set()
        self._troubles: queue.SimpleQueue[str] = queue.SimpleQueue()
        for option, hook in hooks.items():
            waiting = self._waiting[option] = queue.Queue(MOST_WAITING)
            threading.Thread(target=self._serve, args=(option, hook, waiting), daemon=True).start()

    def tell(self, occasion: Occasion) -> None:
        """Hand an alert to every hook; returns at once."""
        for option, waiting in self._waiting.items():
            try:
                waiting.put_nowait(occasion)
            except queue.Full:
                self._fail(option, f"{MOST_WAITING} alerts wait already; further ones are left out")

    def troubles(self) -> list[str]:
        """What has failed since the last call; each hook's failures are told once, the first one."""
        return [self._troubles.get() for _ in range(self._troubles.qsize())]

    def close(self, seconds: float = WEBHOOK_SECONDS + 1.0) -> None:
        """Give alerts that are on their way so long to get there."""
        deadline = time.monotonic() + seconds
        while any(each.unfinished_tasks for each in self._waiting.values()) and time.monotonic() < deadline:
            time.sleep(0.02)

    def _serve(self, option: str, hook: Hook, waiting: "queue.Queue[Occasion]") -> None:
        while True:
            occasion = waiting.get()
            try:
                hook(occasion)
            except (OSError, ValueError) as error:
                self._fail(option, str(error) or type(error).__name__)
            finally:
                waiting.task_done()

    def _fail(self, option: str, why: str) -> None:
        if option not in self._said:
            self._said.add(option)
            self._troubles.put(f"{option} failed: {why}")


class CommandHook:
    """Starts a command for each alert, without a shell; what it is about stands in its environment.

    VAEMON_RUN, VAEMON_RULE, VAEMON_TEXT, VAEMON_STEP. It is left alone from then on, its output goes nowhere.
    """

    def __init__(self, command: str) -> None:
        """Start this command, in a shell's notation. Raises UsageError where it is none."""
        try:
            self._words = shlex.split(command)
        except ValueError as error:
            raise UsageError(f"--run-on-alert {command!r}: {error}") from error
        if not self._words:
            raise UsageError("--run-on-alert: there is no command; write it as in 'notify-send vaemon'")
        self.children: list[subprocess.Popen[bytes]] = []
        """Those that may run still."""

    def __call__(self, occasion: Occasion) -> None:
        """Start it once more. Raises OSError where it cannot be, or where too many of it run already."""
        self.children = [child for child in self.children if child.poll() is None]
        if len(self.children) >= MOST_CHILDREN:
            raise OSError(f"{MOST_CHILDREN} of its processes run still; it was not started again")
        quiet = subprocess.DEVNULL
        environment = {**os.environ, **_environment(occasion)}
        self.children.append(
            subprocess.Popen(
                self._words, env=environment, stdin=quiet, stdout=quiet, stderr=quiet, start_new_session=True
            )
        )


def _environment(occasion: Occasion) -> dict[str, str]:
    run, alert = occasion
    told = {"RUN": run, "RULE": alert.rule, "TEXT": alert.text, "STEP": str(alert.step)}
    return {f"VAEMON_{name}": value.replace("\0", "?") for name, value in told.items()}


def webhook(url: str) -> Hook:
    """Post each alert to a web address, as a JSON object: run, rule, step, stage, time, and text, all in one line.

    Raises:
        UsageError: the address is none of the web.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UsageError("--webhook: the address is none of the web; write it as in 'https://example.org/hook'")

    def post(occasion: Occasion) -> None:
        import urllib.request  # 30 ms, and few need it

        run, alert = occasion
        told = {
            "text": f"{run}: {alert.text}",
            "run": run,
            "rule": alert.rule,
            "step": alert.step,
            "stage": alert.stage,
            "time": alert.time,
        }
        request = urllib.request.Request(
            url, json.dumps(told).encode(), {"Content-Type": "application/json", "User-Agent": "vaemon"}
        )
        try:
            urllib.request.urlopen(request, timeout=WEBHOOK_SECONDS).close()
        except (OSError, ValueError) as error:
            # The address itself is a secret as often as not.
            raise OSError(f"{parts.hostname} did not take it ({error})") from error

    return post
