import os
import tarfile

import pytest

from trainer.data import members as room
from trainer.data.members import members, names
from vaemon.errors import DataNotFound

FILES = {"b/2.png": b"two", "a/1.png": b"one", "notes.txt": b"hello"}


def _all(path):
    return {member.name: member.read() for member in members(path, lambda name: True)}


def test_a_folder_gives_its_files_sorted(write_folder):
    folder = write_folder(FILES)
    assert list(names(folder)) == ["a/1.png", "b/2.png", "notes.txt"]
    assert _all(folder) == FILES
    assert [(each.name, each.size) for each in members(folder, lambda name: name.endswith(".txt"))] == [
        ("notes.txt", 5)
    ]


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:xz", "w:bz2"])
def test_a_tar_gives_its_files_in_its_order(mode, write_tar):
    tar = write_tar(FILES, mode=mode)
    assert list(names(tar)) == list(FILES)
    assert _all(tar) == FILES


def test_hidden_files_are_passed_over(write_folder):
    folder = write_folder(
        {".DS_Store": b"x", "._1.png": b"x", ".git/a.png": b"x", "__MACOSX/1.png": b"x", "1.png": b"y"}
    )
    assert list(names(folder)) == ["1.png"]


def test_links_in_a_folder_are_followed_once(write_folder, tmp_path):
    folder = write_folder(FILES)
    other = write_folder({"far.png": b"far"}, "other")
    (folder / "linked").symlink_to(other)
    (folder / "a" / "up").symlink_to(folder)
    (folder / "single.png").symlink_to(other / "far.png")
    (folder / "dead.png").symlink_to(tmp_path / "nowhere")
    assert list(names(folder)) == ["a/1.png", "b/2.png", "linked/far.png", "notes.txt", "single.png"]


def test_links_and_devices_in_a_tar_are_passed_over(write_tar):
    kinds = {
        "hard.png": tarfile.LNKTYPE,
        "soft.png": tarfile.SYMTYPE,
        "null.png": tarfile.CHRTYPE,
        "d": tarfile.DIRTYPE,
    }
    extra = []
    for name, kind in kinds.items():
        info = tarfile.TarInfo(name)
        info.type, info.linkname = kind, "/etc/passwd"
        extra.append(info)
    assert _all(write_tar(FILES, members=extra)) == FILES


def test_a_name_that_climbs_is_just_a_name(write_tar, tmp_path):
    before = sorted(tmp_path.rglob("*"))
    tar = write_tar({"../../climb.png": b"x", "/root.png": b"y"})
    assert set(_all(tar)) == {"../../climb.png", "/root.png"}
    assert sorted(tmp_path.rglob("*")) == sorted([*before, tar])


def test_names_come_fit_to_be_shown(write_tar):
    assert list(names(write_tar({"\x1b[31mred.png": b"x", "new\nline.png": b"y"}))) == ["�[31mred.png", "new�line.png"]


def test_absurdly_large_files_are_refused(write_tar, write_folder, monkeypatch):
    monkeypatch.setattr(room, "LARGEST", 4)
    for path in (write_tar(FILES), write_folder(FILES)):
        with pytest.raises(DataNotFound, match=r"notes.txt has 5 bytes; files above 4 bytes are not read"):
            _all(path)


def test_a_header_may_lie_about_its_size(tmp_path):
    info = tarfile.TarInfo("huge.png")
    info.size = 2**40
    (tmp_path / "lie.tar").write_bytes(info.tobuf() + bytes(1024))
    with pytest.raises(DataNotFound, match=r"huge.png has 1,099,511,627,776 bytes"):
        _all(tmp_path / "lie.tar")


@pytest.mark.parametrize(
    ("mode", "ending"), [("w", ".tar"), ("w:gz", ".tar.gz"), ("w:xz", ".tar.xz"), ("w:bz2", ".tbz2")]
)
def test_a_cut_tar_is_damaged(mode, ending, write_tar):
    tar = write_tar({f"{i}.png": os.urandom(3000) for i in range(9)}, f"cut{ending}", mode)
    tar.write_bytes(tar.read_bytes()[:9000])
    with pytest.raises(DataNotFound, match=rf"cut{ending} is damaged, or its download was cut short"):
        _all(tar)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 a zip", b"<html>" * 200])
def test_what_is_no_tar_is_told(content, tmp_path):
    path = tmp_path / "pictures.zip"
    path.write_bytes(content)
    with pytest.raises(DataNotFound, match=r"neither a folder nor a tar .*; unpack it and give the folder"):
        _all(path)


def test_a_folder_that_cannot_be_listed_is_an_error(write_folder, monkeypatch):
    folder = write_folder(FILES)
    listed = os.scandir

    def refuse(path):
        if str(path).endswith("/b"):
            raise PermissionError(13, "Permission denied", str(path))
        return listed(path)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(PermissionError):
        list(names(folder))
