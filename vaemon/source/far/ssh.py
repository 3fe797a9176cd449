"""How an agent is started on another machine: by the user's own ssh, with an interpreter that is found there."""

import base64
import os
import shlex
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from posixpath import dirname
from typing import NamedTuple

from vaemon.errors import FarEndLacksVaemon, NeedsPerson, SourceLost, UsageError, VaemonError
from vaemon.source.far.address import Place

SSH = "VAEMON_SSH"
"""The variable with the program to be used in place of `ssh`, and its options."""
SSH_FAILED = 255
LAST_LINES = 3
"""So many of the last lines that a program says are told in an error."""
NO_VAEMON, UNTRUSTED, NO_VAEMON_ASKED = 83, 84, 85
"""Exit codes of far_end.sh."""


class FarEnd(NamedTuple):
    """What is to be started, and where."""

    place: Place
    python: str = ""
    """The interpreter asked for; "": found there."""
    run: str = ""
    """The run whose interpreter is tried first, or a folder of runs, tried last; "": none."""

    @property
    def runs(self) -> str:
        """The folder of runs whose interpreters are tried last; "": where runs are by default."""
        return dirname(self.run)

    def command(self, *, asks: bool, environ: Mapping[str, str] = os.environ) -> list[str]:
        """The program and its arguments.

        Args:
            asks: whether ssh may ask for a password, or whether to trust a host; else it fails where it would.
            environ: the variables.
        """
        try:
            program = shlex.split(environ.get(SSH) or "ssh")
        except ValueError as error:
            raise UsageError(f"${SSH} is no command: {error}") from error
        return [
            *program,
            "-T",
            # A port that the config forwards is another session's; a command that it names would take ours's place.
            *("-o", "ClearAllForwardings=yes", "-o", "RemoteCommand=none"),
            # A connection that other sessions share is used, but none is begun: they would end with this one.
            *("-o", "ControlMaster=no"),
            *(() if asks else ("-o", "BatchMode=yes")),
            *(("-p", str(self.place.port)) if self.place.port is not None else ()),
            "--",
            self.place.host,
            self.far_command(),
        ]

    def far_command(self) -> str:
        """What the login shell there is to run: a line that every shell reads alike, whatever the arguments hold."""
        given = " ".join(map(shlex.quote, (self.python, self.run, self.runs)))
        script = base64.b64encode(os.fsencode(f"set -- {given}\n{_script()}")).decode()
        return f"exec sh -c 'eval \"$(echo {script} | base64 -d)\"'"

    def failure(self, code: int | None, told: str, *, asks: bool) -> VaemonError:
        """Why there was no hello.

        Args:
            code: with which the program ended; None: it did not.
            told: the last lines of its standard error.
            asks: as of `command`.
        """
        place, last = self.place.host, " ".join(told.split("\n")[-LAST_LINES:]).strip()
        if code == NO_VAEMON:
            return FarEndLacksVaemon(
                f"{place} has no vaemon on its PATH, nor by what the runs in {self.runs or 'its folder of runs'} tell: "
                "install it there, as by `pip install vaemon`, or name the Python that has it: --remote-python PATH"
            )
        if code == NO_VAEMON_ASKED:
            return FarEndLacksVaemon(
                f"{self.python} on {place} is no Python that has vaemon: install it there, "
                f"`{self.python} -m pip install vaemon`, or name another by --remote-python"
            )
        if code == UNTRUSTED:
            python = last.rpartition("vaemon-untrusted: ")[2]
            return UsageError(
                f"the run on {place} says it was recorded by {python}, but others can write that program, the run, or "
                f"a folder above; if you trust it, say --remote-python {shlex.quote(python)}"
            )
        if code == SSH_FAILED and not asks and "Host key verification failed" in told:
            return NeedsPerson(f"{place} has a host key that only you can trust")
        if code == SSH_FAILED and not asks and "Permission denied" in told:
            return NeedsPerson(f"{place} needs your password")
        if code == SSH_FAILED:
            return SourceLost(f"ssh cannot reach {place}: {last or 'it does not say why'}")
        if code is not None and code < 0:
            return SourceLost(f"the ssh to {place} was ended by signal {-code}{f': {last}' if last else ''}")
        ended = f"ended with exit code {code}" if code is not None else "does not answer"
        return SourceLost(f"the vaemon on {place} {ended}{f': {last}' if last else ''}")


@cache
def _script() -> str:
    return files("vaemon.source.far").joinpath("far_end.sh").read_text(encoding="utf-8")
