import gzip
import os
import stat
import tarfile
import zipfile

import pytest

from trainer.data import members as room
from trainer.data import unpacked
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


@pytest.mark.parametrize("kind", ["tar", "zip"])
def test_a_name_that_climbs_is_just_a_name(kind, write_tar, write_zip, tmp_path):
    before = sorted(tmp_path.rglob("*"))
    files = {"../../climb.png": b"x", "/root.png": b"y"}
    path = write_tar(files) if kind == "tar" else write_zip(files)
    assert {name.lstrip("/") for name in _all(path)} == {"../../climb.png", "root.png"}
    assert sorted(tmp_path.rglob("*")) == sorted([*before, path])


def test_names_come_fit_to_be_shown(write_tar):
    given = ["\x1b[31mred.png", "new\nline.png", "f\udce9.png", "f\udce8.png", "猫 🐈.png"]
    files = {name: name[-5:].encode("utf-8", "replace") for name in given}
    shown = [r"\x1b[31mred.png", r"new\nline.png", r"f\udce9.png", r"f\udce8.png", "猫 🐈.png"]
    assert list(names(write_tar(files))) == shown
    assert len(_all(write_tar(files))) == len(files), "and different ones stay different"


def test_absurdly_large_files_are_refused_each_by_itself(write_tar, write_zip, write_folder, monkeypatch):
    monkeypatch.setattr(room, "LARGEST", 4)
    for path in (write_tar(FILES), write_zip(FILES), write_folder(FILES)):
        found = {member.name: member for member in members(path, lambda name: True)}
        assert found["a/1.png"].read() == b"one"
        with pytest.raises(OSError, match=r"has 5 bytes; files above 4 bytes are not read"):
            found["notes.txt"].read()


def test_a_header_may_lie_about_its_size(tmp_path):
    info = tarfile.TarInfo("huge.png")
    info.size = 2**40
    (tmp_path / "lie.tar").write_bytes(info.tobuf() + bytes(1024))
    with pytest.raises(OSError, match=r"has 1,099,511,627,776 bytes"):
        _all(tmp_path / "lie.tar")
    with pytest.raises(DataNotFound, match=r"lie.tar is damaged"):
        list(names(tmp_path / "lie.tar"))


@pytest.mark.parametrize(
    ("mode", "ending"), [("w", ".tar"), ("w:gz", ".tar.gz"), ("w:xz", ".tar.xz"), ("w:bz2", ".tbz2")]
)
def test_a_cut_tar_is_damaged(mode, ending, write_tar):
    tar = write_tar({f"{i}.png": os.urandom(3000) for i in range(9)}, f"cut{ending}", mode)
    tar.write_bytes(tar.read_bytes()[:9000])
    with pytest.raises(DataNotFound, match=rf"cut{ending} is damaged, or its download was cut short"):
        _all(tar)


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.GNUTYPE_LONGNAME])
@pytest.mark.parametrize("at", [0, 1])
def test_a_header_of_absurd_length_is_not_read(kind, at, tmp_path, monkeypatch):
    monkeypatch.setattr(unpacked, "MOST", 2**20)
    header = tarfile.TarInfo("long")
    header.type, header.size = kind, 2**21
    with gzip.open(tmp_path / "bomb.tar.gz", "wb") as packed:
        packed.write(at * tarfile.TarInfo("empty.png").tobuf() + header.tobuf(tarfile.GNU_FORMAT) + bytes(2**22))
    with pytest.raises(DataNotFound, match=r"bomb.tar.gz is damaged.*it promises 2,097,152 bytes at once"):
        _all(tmp_path / "bomb.tar.gz")


@pytest.mark.parametrize("content", [b"", b"Rar!\x1a\x07 an archive", b"<html>" * 200])
def test_what_is_no_archive_is_told(content, tmp_path):
    path = tmp_path / "pictures.rar"
    path.write_bytes(content)
    with pytest.raises(DataNotFound, match=r"neither a folder nor an archive .*; unpack it and give the folder"):
        _all(path)


@pytest.mark.parametrize("packing", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_zip_gives_its_files_sorted(packing, write_zip):
    path = write_zip(FILES | {".DS_Store": b"x", "__MACOSX/b": b"x", "empty/": b""}, packing=packing)
    assert list(names(path)) == sorted(FILES)
    assert _all(path) == FILES


def test_a_zip_of_any_name_is_known(write_zip):
    assert _all(write_zip(FILES, "pictures")) == FILES


def test_links_and_devices_in_a_zip_are_passed_over(write_zip):
    special = {"soft.png": stat.S_IFLNK, "null.png": stat.S_IFCHR, "pipe.png": stat.S_IFIFO}
    assert _all(write_zip(FILES, kinds=special)) == FILES


def test_a_zip_that_needs_a_password_is_told(write_zip):
    path = write_zip({"a.png": b"one"})
    data = bytearray(path.read_bytes())
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(signature) + offset] |= 1
    path.write_bytes(data)
    with pytest.raises(DataNotFound, match=r"a.png needs a password; unpack it"):
        _all(path)


def test_a_cut_zip_is_damaged(write_zip):
    path = write_zip({f"{i}.png": os.urandom(3000) for i in range(9)})
    path.write_bytes(path.read_bytes()[:9000])
    with pytest.raises(DataNotFound, match=r"pictures.zip is damaged, or its download was cut short"):
        _all(path)


def test_one_damaged_file_of_a_zip_does_not_spoil_the_others(write_zip):
    path = write_zip({"a.png": b"first" * 50, "b.png": b"second" * 50})
    path.write_bytes(path.read_bytes().replace(b"firstfirst", b"firstFirst", 1))
    found = {member.name: member for member in members(path, lambda name: True)}
    assert found["b.png"].read() == b"second" * 50
    with pytest.raises(OSError, match=r"damaged in the zip: Bad CRC"):
        found["a.png"].read()


def test_a_zip_may_lie_about_its_size(write_zip):
    path = write_zip({"huge.png": bytes(100)})
    data = bytearray(path.read_bytes())
    at = data.index(b"PK\x01\x02") + 24
    data[at : at + 4] = (2**31).to_bytes(4, "little")
    path.write_bytes(data)
    with pytest.raises(OSError, match=r"has 2,147,483,648 bytes"):
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
