"""The script that finds an interpreter at the far end, run by every shell there is here, in a home of its own."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from vaemon.errors import FarEndLacksVaemon, SourceLost, UsageError
from vaemon.source.far.address import Place
from vaemon.source.far.ssh import NO_VAEMON, NO_VAEMON_ASKED, UNTRUSTED, FarEnd, NeedsPerson

TOOLS = ("find", "dirname", "readlink", "head", "sed", "base64")
LOGIN_SHELLS = [
    each for each in ("dash", "bash", "busybox", "ksh93", "mksh", "zsh", "tcsh", "fish") if shutil.which(each)
]
SHELLS = [each for each in LOGIN_SHELLS if each not in ("tcsh", "fish")]
STRANGER = 54321


class Machine:
    """A machine with a home, programs, and a shell; nothing else is on its PATH."""

    def __init__(self, folder, shell):
        self.home, self.bin = folder / "home", folder / "bin"
        self.home.mkdir(mode=0o755), self.bin.mkdir()
        for tool in TOOLS:
            (self.bin / tool).symlink_to(shutil.which(tool))
        (self.bin / "sh").symlink_to(shutil.which(shell))
        self.script(
            self.bin / "id", f"case $1 in -u) echo {os.getuid()} ;; -g) echo {os.getgid()} ;; *) echo me ;; esac"
        )
        self.group("me:x:7:")
        self.variables = {}

    def group(self, line):
        self.script(self.bin / "getent", f"echo {line}")

    @staticmethod
    def script(path, text):
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o755)
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)
        return path

    def python(self, path, has_vaemon=True):
        """A program that tells with what it is started, where not only asked whether it has vaemon."""
        asked = f'[ "$1 $2" = "-P -c" ] && exit {0 if has_vaemon else 1}'
        return self.script(path, f'{asked}\necho "$0 $*"')

    def run(self, python, folder=None, **more):
        folder = folder or self.home / "runs" / "run42"
        folder.mkdir(parents=True, exist_ok=True)
        told = {"name": folder.name, "config": {"python": "/usr/bin/evil"}, "python": str(python), **more}
        (folder / "run.json").write_text(json.dumps(told, indent=1, ensure_ascii=False), errors="replace")
        return folder

    def start(self, python="", run="", login="dash"):
        """The exit code, what is written, and what is told, as by ssh's login shell."""
        line = FarEnd(Place("gpu1"), python, run).far_command()
        done = subprocess.run(
            [shutil.which(login), *["sh"] * (login == "busybox"), "-c", line],
            env={"HOME": str(self.home), "PATH": str(self.bin), **self.variables},
            cwd="/",
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            check=False,
        )
        return done.returncode, done.stdout, done.stderr

    def starts(self, program, **asked):
        code, out, told = self.start(**asked)
        assert (out, code) == (f"{program} -P -m vaemon agent\n", 0), told


@pytest.fixture(params=SHELLS)
def machine(request, tmp_path):
    return Machine(tmp_path, request.param)


@pytest.fixture
def one(tmp_path):
    return Machine(tmp_path, SHELLS[0])


def test_nothing_there(machine):
    assert machine.start() == (NO_VAEMON, "", "")
    assert machine.start(run="elsewhere/run42") == (NO_VAEMON, "", "")


def test_the_interpreter_that_recorded_the_run(machine):
    venv = machine.python(machine.home / "my vénv/bin/python")
    machine.run(venv)
    machine.python(machine.bin / "python3")
    machine.starts(venv, run="run42")
    machine.starts(venv, run="runs/run42")
    machine.starts(venv, run="~/runs/run42")
    machine.starts(venv, run=str(machine.home / "runs" / "run42"))
    machine.starts(machine.bin / "python3", run="run43")
    machine.run(venv, machine.home / "else where" / "run1")
    machine.variables = {"VAEMON_RUNS": "else where", "CDPATH": "/usr"}
    machine.starts(venv, run="run1")
    machine.variables = {"VAEMON_RUNS": "~/else where"}
    machine.starts(venv, run="run1")
    machine.variables = {}
    machine.starts(venv, run="~/else where/run1")


def test_the_order(machine):
    asked, recorded, other = (machine.python(machine.home / name) for name in ("asked", "recorded", "other"))
    machine.run(recorded)
    machine.run(other, machine.home / "runs" / "run1")
    for name in ("python", "python3"):
        machine.python(machine.bin / name)
    machine.script(machine.bin / "vaemon", 'echo "$0 $*"')
    machine.starts(asked, python=str(asked), run="run42")
    machine.starts(asked, python="~/asked", run="run42")
    machine.starts(recorded, run="run42")
    assert machine.start(run="run43") == (0, f"{machine.bin}/vaemon agent\n", "")
    (machine.bin / "vaemon").unlink()
    machine.starts(machine.bin / "python3", run="run43")
    machine.python(machine.bin / "python3", has_vaemon=False)
    machine.starts(machine.bin / "python", run="run43")
    machine.python(machine.bin / "python", has_vaemon=False)
    machine.starts(other, run="run43")
    machine.python(other, has_vaemon=False)
    machine.starts(recorded)
    machine.python(recorded, has_vaemon=False)
    assert machine.start(run="run42")[0] == NO_VAEMON


def test_the_interpreter_asked_for_and_no_other(one):
    one.python(one.bin / "python3")
    one.run(one.python(one.home / "recorded"))
    lacking = one.python(one.home / "lacking", has_vaemon=False)
    for python in (str(lacking), "/no/such", "nonsense", "a b", "$(echo python3)", "-c"):
        assert one.start(python=python, run="run42") == (NO_VAEMON_ASKED, "", "")
    one.starts(one.bin / "python3", python="python3")


def test_a_run_that_tells_no_interpreter_or_one_that_is_gone(one):
    folder = one.run("/no/such/python")
    assert one.start(run="run42") == (NO_VAEMON, "", "")
    for text in ("", "{", '{\n "python": "relative/python"\n}', '{\n "python": "/a\\"; touch x"\n}', "\0" * 99):
        (folder / "run.json").write_text(text)
        assert one.start(run="run42") == (NO_VAEMON, "", "")
    (folder / "run.json").unlink()
    (folder / "run.json").mkdir()
    assert one.start(run="run42") == (NO_VAEMON, "", "")
    one.run(one.python(one.home / "unset"), one.home / "runs" / "run1").joinpath("run.json").chmod(0o644)
    (one.home / "unset").chmod(0o644)
    assert one.start(run="run1") == (NO_VAEMON, "", "")


def venv_of(machine):
    """A run and its interpreter, a link to a link to the program, as in a virtual environment."""
    real = machine.python(machine.home / "opt/python/bin/python3.11")
    links = machine.home / "venv" / "bin"
    links.mkdir(parents=True)
    (links / "python3").symlink_to(real)
    (links / "python").symlink_to("python3")
    machine.run(links / "python")
    return real


# What others may write: a path below the home, and the bits it then has.
OPEN = {
    "the run's folder": ("runs/run42", 0o777),
    "the run's folder, by a group": ("runs/run42", 0o775),
    "the run's folder, if sticky": ("runs/run42", 0o1777),
    "the record": ("runs/run42/run.json", 0o666),
    "the record, by a group": ("runs/run42/run.json", 0o664),
    "the folder of runs": ("runs", 0o777),
    "the program": ("opt/python/bin/python3.11", 0o777),
    "the program, by a group": ("opt/python/bin/python3.11", 0o775),
    "the program's folder": ("opt/python/bin", 0o777),
    "a folder above the program": ("opt", 0o777),
    "the folder of a link on the way": ("venv/bin", 0o777),
    "a folder above a link, by a group": ("venv", 0o775),
    "the home": (".", 0o777),
}


@pytest.mark.parametrize("what", OPEN)
def test_what_others_could_have_written_is_not_run_but_told(one, what):
    one.group("me:x:7:bob")
    venv_of(one)
    path, bits = OPEN[what]
    (one.home / path).chmod(bits)
    told = f"vaemon-untrusted: {one.home}/venv/bin/python\n"
    assert one.start(run="run42") == (UNTRUSTED, "", told)


def test_what_is_trusted_or_not_is_so_in_every_shell(machine):
    machine.group("me:x:7:bob")
    venv_of(machine)
    machine.starts(machine.home / "venv/bin/python", run="run42")
    (machine.home / "venv").chmod(0o775)
    told = f"vaemon-untrusted: {machine.home}/venv/bin/python\n"
    assert machine.start() == (UNTRUSTED, "", told)
    machine.starts(machine.python(machine.bin / "python3"), run="run42")


def test_a_folder_behind_a_link_to_a_folder(one):
    shared = one.home / "shared"
    real = one.python(shared / "real" / "bin" / "python")
    (one.home / "venv").symlink_to(f"{shared}/real/")
    one.run(one.home / "venv" / "bin" / "python")
    one.starts(one.home / "venv/bin/python", run="run42")
    shared.chmod(0o777)  # others could put another `real` there
    assert one.start(run="run42")[0] == UNTRUSTED
    shared.chmod(0o755)
    (one.home / "hop").symlink_to(real.parent)
    (one.home / "venv").unlink()
    (one.home / "venv").mkdir()
    (one.home / "venv" / "bin").symlink_to("../hop")
    one.starts(one.home / "venv/bin/python", run="run42")
    shared.chmod(0o777)
    assert one.start(run="run42")[0] == UNTRUSTED


def test_a_run_behind_a_link(one):
    python = one.python(one.home / "python")
    shared = one.home / "shared"
    one.run(python, shared / "run1")
    (one.home / "runs").mkdir()
    (one.home / "runs" / "run1").symlink_to(shared / "run1")
    one.starts(python, run="run1")
    shared.chmod(0o777)
    assert one.start(run="run1")[0] == UNTRUSTED


def test_links_that_go_round(one):
    for name, to in (("a", "b"), ("b", "a")):
        (one.home / name).symlink_to(to)
    one.run(one.home / "a" / "python")
    assert one.start(run="run42") == (NO_VAEMON, "", "")


def test_a_folder_of_all_whose_files_are_not(one):
    scratch = one.home / "scratch"
    scratch.mkdir()
    python = one.python(scratch / "venv" / "python")
    one.run(python, scratch / "run1")
    scratch.chmod(0o1777)
    one.starts(python, run="scratch/run1")
    scratch.chmod(0o777)
    assert one.start(run="scratch/run1")[0] == UNTRUSTED


def test_a_group_that_nobody_else_is_in(machine):
    venv_of(machine)
    for path in ("runs/run42", "runs/run42/run.json", "opt/python/bin/python3.11", "venv", "."):
        (machine.home / path).chmod(0o775)
    machine.starts(machine.home / "venv/bin/python", run="run42")
    machine.group("me:x:7:bob")
    assert machine.start(run="run42")[0] == UNTRUSTED
    (machine.bin / "getent").unlink()
    assert machine.start(run="run42")[0] == UNTRUSTED


def test_a_group_of_another_name(one):
    venv_of(one)
    (one.home / "venv").chmod(0o775)
    one.script(
        one.bin / "id",
        f"case $1 in -u) echo {os.getuid()} ;; -g) echo {os.getgid()} ;; -un) echo me ;; *) echo lab ;; esac",
    )
    assert one.start(run="run42")[0] == UNTRUSTED


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give files away")
@pytest.mark.parametrize(
    "path", ["runs/run42", "runs/run42/run.json", "opt/python/bin/python3.11", "opt", "venv", "venv/bin/python", "runs"]
)
def test_what_belongs_to_another_is_not_run(one, path):
    venv_of(one)
    os.chown(one.home / path, STRANGER, -1, follow_symlinks=False)
    assert one.start(run="run42")[0] == UNTRUSTED


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give files away")
def test_what_another_group_may_write_is_not_run(one):
    venv_of(one)
    (one.home / "opt").chmod(0o775)
    one.starts(one.home / "venv/bin/python", run="run42")
    os.chown(one.home / "opt", -1, STRANGER)
    assert one.start(run="run42")[0] == UNTRUSTED


def test_a_run_that_may_not_be_trusted_does_not_stand_in_the_way_of_others(one):
    venv_of(one)
    (one.home / "runs" / "run42").chmod(0o777)
    other = one.python(one.home / "other")
    one.run(other, one.home / "runs" / "run1")
    one.starts(other, run="run42")


@pytest.mark.parametrize("what", [".", "run.json"])
def test_nor_in_that_of_one_beside_it_with_the_same_interpreter(one, what):
    venv = one.python(one.home / "opt/venv/bin/python")
    (one.run(venv, one.home / "runs" / "run1") / what).chmod(0o777)
    one.run(venv, one.home / "runs" / "run2")
    one.starts(venv)


def test_a_folder_of_runs_in_place_of_a_run(one):
    venv = one.python(one.home / "venv/bin/python")
    one.run(venv, one.home / "else where" / "run1")
    one.starts(venv, run="else where/")
    one.starts(venv, run=str(one.home / "else where"))


HOSTILE = [
    "a b",
    "a'b",
    'a"b',
    "$(touch pwned)",
    "`touch pwned`",
    "a;touch pwned",
    "a\ntouch pwned\nb",
    "a && touch pwned #",
    "a|touch pwned",
    "*",
    "a\\'; touch pwned; '",
    "!!",
    "~",
    "é漢",
    "x=1",
    "%s%n",
    "{a,b}",
    "\\",
    "' ; touch pwned ; '",
]


def test_a_path_runs_nothing(one):
    deep = "/".join(HOSTILE)
    # What JSON writes with a backslash is not taken from a record.
    python = one.python(one.home.joinpath(*[each for each in HOSTILE if not set(each) & set('"\\\n')]) / "python")
    other = one.python(one.home / "bin" / deep / "python")
    one.run(python, one.home / "my runs" / deep / "run1")
    one.starts(python, run=f"my runs/{deep}/run1")
    one.starts(python, run=f"~/my runs/{deep}/run1")
    one.starts(python, run=f"my runs/{deep}/")
    one.starts(other, python=f"~/bin/{deep}/python")
    assert not [*one.home.rglob("pwned"), *Path("/").glob("pwned")]


@pytest.mark.parametrize("login", LOGIN_SHELLS)
def test_every_shell_hands_over_exactly_the_arguments(one, login, monkeypatch):
    monkeypatch.setattr("vaemon.source.far.ssh._script", lambda: "for each; do printf '<%s>' \"$each\"; done\n")
    for python, run, runs in zip(HOSTILE, HOSTILE[1:], HOSTILE[2:], strict=False):
        assert one.start(python, f"{runs}/{run}", login=login) == (0, f"<{python}><{runs}/{run}><{runs}>", "")
    assert one.start(login=login) == (0, "<><><>", "")


def test_a_path_that_is_no_unicode(one):
    python = one.python(one.home / "python")
    one.run(python, one.home / "r\udcff")
    one.starts(python, run="./r\udcff")


def command(environ=None, asks=True, place=None):
    return FarEnd(place or Place("ann@gpu1")).command(asks=asks, environ=environ or {})


def test_the_command_of_ssh():
    plain = command()
    assert (plain[0], plain[-3:-1]) == ("ssh", ["--", "ann@gpu1"])
    assert "-T" in plain
    assert not any("StrictHostKeyChecking" in each or "BatchMode" in each or each == "-p" for each in plain)
    assert "BatchMode=yes" in command(asks=False)
    assert command(place=Place("gpu1", 2222))[-5:-1] == ["-p", "2222", "--", "gpu1"]
    assert command({"VAEMON_SSH": "my-ssh -F 'a b'"})[:3] == ["my-ssh", "-F", "a b"]
    with pytest.raises(UsageError, match="VAEMON_SSH"):
        command({"VAEMON_SSH": "'"})


@pytest.mark.parametrize(
    ("code", "told", "asks", "kind", "says"),
    [
        (NO_VAEMON, "", True, FarEndLacksVaemon, "pip install vaemon"),
        (NO_VAEMON_ASKED, "", True, FarEndLacksVaemon, "/py on gpu1 is no Python that has vaemon"),
        (UNTRUSTED, "hi\nvaemon-untrusted: /a b/py", True, UsageError, "--remote-python '/a b/py'"),
        (255, "ann@gpu1: Permission denied (publickey).", False, NeedsPerson, "gpu1 needs your password"),
        (255, "Host key verification failed.", False, NeedsPerson, "gpu1 has a host key that only you can trust"),
        (255, "ann@gpu1: Permission denied (publickey).", True, SourceLost, "Permission denied"),
        (255, "", False, SourceLost, "it does not say why"),
        (1, "Traceback\nValueError: x", True, SourceLost, "ended with exit code 1: Traceback ValueError: x"),
        (None, "", True, SourceLost, "does not answer"),
    ],
)
def test_why_there_is_no_hello(code, told, asks, kind, says):
    error = FarEnd(Place("gpu1"), "/py").failure(code, told, asks=asks)
    assert type(error) is kind
    assert says in str(error)
