"""Files that may be anyone's are opened without waiting, and no more of them is read than is asked for."""

import os
import stat

import pytest

from vaemon.runfile.strangers import open_file, read_whole


def test_a_file_is_read(tmp_path):
    (tmp_path / "a").write_bytes(b"abc")
    with open_file(tmp_path / "a") as file:
        assert file.read() == b"abc"
    assert read_whole(tmp_path / "a", 3) == b"abc"


def test_no_more_than_asked_for(tmp_path):
    (tmp_path / "a").write_bytes(b"abcd")
    with pytest.raises(ValueError, match="more than 3 bytes"):
        read_whole(tmp_path / "a", 3)


def test_a_link_is_followed_where_it_may_be(tmp_path):
    (tmp_path / "a").write_bytes(b"abc")
    (tmp_path / "b").symlink_to("a")
    assert read_whole(tmp_path / "b", 9) == b"abc"
    with pytest.raises(OSError, match="symbolic links"):
        open_file(tmp_path / "b", follow=False)


@pytest.mark.parametrize("what", ["pipe", "folder", "device"])
def test_what_is_no_file_is_refused_at_once(tmp_path, what):
    path = tmp_path / "a"
    if what == "pipe":
        os.mkfifo(path)
    elif what == "folder":
        path.mkdir()
    else:
        path.symlink_to("/dev/zero")
    assert not stat.S_ISREG(os.stat(path).st_mode)
    with pytest.raises(OSError, match="it is not a file"):
        open_file(path)
