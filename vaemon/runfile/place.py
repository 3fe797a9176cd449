"""Where a run is written: whether there is room, and whether the file system lets readers look on."""

import os
import sys
from pathlib import Path

KEEP_FREE = 64 * 1024 * 1024
"""Bytes left free on the disk: HDF5 itself must never meet a full one."""

NOT_LIVE = frozenset(
    {
        *("nfs", "nfs3", "nfs4", "cifs", "smb", "smb2", "smb3", "smbfs", "afs", "afpfs", "9p", "webdav", "davfs"),
        *("fuse.sshfs", "fuse.s3fs", "fuse.gcsfuse", "fuse.goofys", "fuse.rclone", "fuse.davfs", "fuse.mount-s3"),
    }
)
"""File systems that do not keep the order of writes, on which SWMR stands (HDF5 User Guide, "SWMR")."""


def free_space(folder: Path) -> int:
    """Bytes that a user may yet write to the disk of a folder. Raises OSError."""
    space = os.statvfs(folder)
    return space.f_bavail * space.f_frsize


def check_space(folder: Path) -> None:
    """Refuse to go on where the disk is nearly full. Raises OSError."""
    free = free_space(folder)
    if free < KEEP_FREE:
        raise OSError(f"{folder}: only {free // 2**20} MiB are free, {KEEP_FREE // 2**20} MiB are kept free")


def file_system(folder: Path) -> str:
    """The type of the file system that a folder lies on, as the kernel calls it; "" where it cannot be told."""
    try:
        text = Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return "" if sys.platform != "darwin" else _by_mount(folder)
    return _longest(_mounts(text), folder.resolve())


def can_be_live(folder: Path) -> bool:
    """Whether readers can look on while a file in this folder is written."""
    return file_system(folder) not in NOT_LIVE


def _mounts(mountinfo: str) -> list[tuple[str, str]]:
    """Mount point and type of each line of /proc/self/mountinfo, see proc(5)."""
    found = []
    for line in mountinfo.splitlines():
        before, _, after = line.partition(" - ")
        if len(before.split()) > 4 and after:
            found.append((_unescaped(before.split()[4]), after.split()[0]))
    return found


def _unescaped(path: str) -> str:
    for code, sign in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        path = path.replace(code, sign)
    return path


def _longest(mounts: list[tuple[str, str]], folder: Path) -> str:
    over = [(len(point), kind) for point, kind in mounts if folder.is_relative_to(point)]
    # Of two mounted on one another, the later one is seen.
    return max(reversed(over), key=lambda each: each[0], default=(0, ""))[1]


def _by_mount(folder: Path) -> str:
    import subprocess

    try:
        text = subprocess.run(["/sbin/mount"], capture_output=True, text=True, timeout=5, check=False).stdout
    except (OSError, subprocess.TimeoutExpired):
        return ""
    # "//user@server/share on /Volumes/share (smbfs, nodev, …)"
    parts = [line.partition(" on ")[2].rpartition(" (") for line in text.splitlines()]
    return _longest([(point, kind.split(",")[0].rstrip(")")) for point, _, kind in parts if point], folder.resolve())
