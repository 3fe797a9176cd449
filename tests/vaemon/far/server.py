"""An OpenSSH server of one's own on this machine: its keys, its configuration, and who may come in as what."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import vaemon

PATIENCE = 60.0
SSHD = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
TOOLS = ("sh", "id", "getent", "find", "dirname", "readlink", "head", "sed", "cut", "base64", "tr", "cat", "sleep")
"""What the far machine has; no Python."""
HOSTS = """
Host stranger
  IdentityFile {0}/stranger
Host impostor
  UserKnownHostsFile {0}/known_wrong
Host unheard
  UserKnownHostsFile {0}/known_none
Host closed
  Port 1
Host shared
  ControlMaster auto
  ControlPath {0}/shared
Host forgotten
  UserKnownHostsFile {0}/known_forgotten
Host there stranger impostor unheard shared forgotten
  Port {1}
Host * !stranger
  IdentityFile {0}/me
Host *
  HostName 127.0.0.1
  UserKnownHostsFile {0}/known
  GlobalKnownHostsFile /dev/null
  IdentitiesOnly yes
  IdentityAgent none
  KexAlgorithms curve25519-sha256
"""
SETTINGS = """
ListenAddress 127.0.0.1
Port {1}
HostKey {0}/host
AuthorizedKeysFile {0}/authorized_keys
PermitUserEnvironment yes
PermitRootLogin prohibit-password
PasswordAuthentication no
KbdInteractiveAuthentication no
StrictModes no
UsePAM no
PidFile none
MaxStartups 100
"""


class Server:
    """Lets those in who have the key `me`, when it has been started."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        for name in ("host", "other", "me", "stranger"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name], check=True)
        for known, key in (("known", "host"), ("known_wrong", "other")):
            (folder / known).write_text(f"[127.0.0.1]:{self.port} {(folder / f'{key}.pub').read_text()}")
        self.config = folder / "config"
        self.config.write_text(HOSTS.format(folder, self.port))
        self._settings = folder / "sshd_config"
        self._settings.write_text(SETTINGS.format(folder, self.port))
        self._forgive()
        self.tools = folder / "tools"
        self.tools.mkdir()
        for tool in TOOLS:
            (self.tools / tool).symlink_to(shutil.which(tool))
        self.vaemon_there = folder / "bin"
        """A folder for the far PATH with a `vaemon`."""
        self.vaemon_there.mkdir()
        script = self.vaemon_there / "vaemon"
        script.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m vaemon "$@"\n')
        script.chmod(0o755)
        self._listener = None

    def _forgive(self) -> None:
        """Newer servers shut out for a while whoever came with a wrong key; where this one can, have it not do so."""
        told = self._settings.read_text()
        self._settings.write_text(f"{told}PerSourcePenalties no\n")
        if subprocess.run([SSHD, "-t", "-f", self._settings], capture_output=True).returncode:
            self._settings.write_text(told)

    def refusal(self) -> str:
        """Why it lets nobody in, where that is this machine's way; empty where it lets us in."""
        self.allow()
        came = subprocess.run(["ssh", "-F", self.config, "-o", "BatchMode=yes", "there", ":"], capture_output=True)
        log = (self.folder / "log").read_text()
        if came.returncode and "account is locked" in log:
            return "sshd lets nobody into this account: it is locked"
        assert not came.returncode, f"{came.stderr.decode()}{log}"
        return ""

    def allow(self, *, key: str = "me", command: str = "", **environment: str) -> None:
        """From now on, let in who has the key, with those variables, and that command in place of what they ask for."""
        options = [f'environment="{name}={value}"' for name, value in environment.items()]
        if command:
            options.append('command="{}"'.format(command.replace('"', r"\"")))
        line = f"{','.join(options)} {(self.folder / f'{key}.pub').read_text()}"
        (self.folder / "authorized_keys").write_text(line)

    def start(self) -> None:
        if os.getuid() == 0:
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
        log = self.folder / "log"
        self._listener = subprocess.Popen([SSHD, "-D", "-f", self._settings, "-E", log], start_new_session=True)
        until(self._listens, lambda: f"sshd does not start: {log.read_text()}")

    def _listens(self) -> bool:
        with socket.socket() as door:
            return door.connect_ex(("127.0.0.1", self.port)) == 0

    def stop(self) -> None:
        """End it, and whoever is in."""
        if self._listener is not None:
            for each in [*self.sessions(), self._listener.pid]:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(each, signal.SIGKILL)
            self._listener.wait()
            self._listener = None

    def hold(self) -> None:
        """Answer nobody who comes, without refusing them."""
        os.kill(self._listener.pid, signal.SIGSTOP)

    def go_on(self) -> None:
        os.kill(self._listener.pid, signal.SIGCONT)

    def sessions(self) -> list[int]:
        """The processes of those who are in, or knock."""
        ours = [self._listener.pid] if self._listener is not None else []
        parents = {pid: parent_of(pid) for pid in processes()}
        return [pid for pid, parent in parents.items() if parent in ours]

    def ssh(self) -> list[int]:
        """Every ssh of ours."""
        wanted = os.fsencode(self.config)
        return [pid for pid in processes() if wanted in read(pid, "cmdline").split(b"\0")]

    def agents(self) -> list[int]:
        """Whatever runs at the far end: shells, agents."""
        wanted = os.fsencode(f"FAR={self.folder}")
        return [pid for pid in processes() if wanted in read(pid, "environ").split(b"\0")]


def free_port() -> int:
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        return door.getsockname()[1]


def processes() -> list[int]:
    return [int(each) for each in os.listdir("/proc") if each.isdigit() and read(int(each), "cmdline")]


def read(pid: int, what: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/{what}").read_bytes()
    except OSError:
        return b""


def parent_of(pid: int) -> int:
    return int((read(pid, "stat").rpartition(b")")[2].split() or [0, 0])[1])


def until(condition, why=lambda: "it never came", patience: float = PATIENCE):
    """Wait for it; what it says in the end is returned."""
    deadline = time.monotonic() + patience
    while not (said := condition()):
        assert time.monotonic() < deadline, why()
        time.sleep(0.02)
    return said


def trouble() -> str:
    """Why there can be no server here; empty where there can."""
    if SSHD is None or shutil.which("ssh") is None:
        return "needs sshd and ssh: apt-get install openssh-server"
    return "" if os.path.isdir("/proc/self") else "needs /proc"


REPOSITORY = Path(vaemon.__file__).resolve().parents[1]
