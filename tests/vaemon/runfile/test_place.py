"""On which file systems others may look on, told from the kernel's own list."""

import logging
from pathlib import Path

import pytest

from vaemon import Recorder, open_run
from vaemon.runfile import place

MOUNTS = """\
22 1 254:0 / / rw,relatime - ext4 /dev/vda rw
25 22 0:23 / /proc rw - proc proc rw
40 22 0:40 / /home rw,nosuid shared:20 master:1 - nfs4 server:/home rw,vers=4.2
41 40 0:41 / /home/a/scratch rw - lustre mds@tcp:/scratch rw
42 22 0:42 / /mnt/my\\040share rw - cifs //server/share rw
43 22 0:43 / /mnt/s rw - fuse.sshfs user@host: rw
44 22 0:44 / /twice rw - nfs server:/x rw
45 44 0:45 / /twice rw - ext4 /dev/vdb rw
a line that is none
"""


@pytest.mark.parametrize(
    ("folder", "kind", "live"),
    [
        ("/data/runs", "ext4", True),
        ("/home/a/runs", "nfs4", False),
        ("/home/a/scratch/runs", "lustre", True),
        ("/homework", "ext4", True),
        ("/mnt/my share/runs", "cifs", False),
        ("/mnt/s", "fuse.sshfs", False),
        ("/twice/runs", "ext4", True),
    ],
)
def test_the_nearest_mount_above_a_folder_tells(monkeypatch, folder, kind, live):
    monkeypatch.setattr(Path, "read_text", lambda self, **_: MOUNTS)
    assert place.file_system(Path(folder)) == kind
    assert place.can_be_live(Path(folder)) is live


def test_this_machines_own_list_is_understood(tmp_path):
    assert place.file_system(tmp_path)
    assert place.can_be_live(tmp_path)


def test_on_such_a_file_system_a_run_is_written_in_closed_files_and_the_user_is_told(runs, monkeypatch, caplog):
    monkeypatch.setattr(place, "file_system", lambda folder: "nfs4")
    monkeypatch.setattr("vaemon.recorder.folder.file_system", lambda folder: "nfs4")
    with caplog.at_level(logging.WARNING), Recorder("r", latents=1) as recorder:
        for step in range(1, 20):
            recorder.log(step, mean_variance=[0.5])
    assert "nfs4" in caplog.text
    assert "every 5 seconds" in caplog.text
    with open_run("r") as run:
        assert len(run.series("step").mean) == 19
        assert len(run.segments) == 2, "one of the first row, which proves that it can be recorded, and one of the rest"
