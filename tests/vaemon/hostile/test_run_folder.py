"""A run folder made to harm whoever looks at it. What SECURITY.md promises of it is tested here."""

import json
import os
import shutil

import h5py
import numpy as np
import pytest
from click.testing import CliRunner

from vaemon import Recorder
from vaemon.batch import Cursor, Want
from vaemon.cli import vaemon
from vaemon.errors import RunFileError, VaemonError
from vaemon.runfile import lock, manifest, superblock
from vaemon.runfile.check import Remedy, check_run
from vaemon.runfile.repair import repair_run
from vaemon.runfile.schema import COMMITS, EVENTS, ROWS, commit_record
from vaemon.source.directory import LocalDirectory
from vaemon.source.local import LocalSource

WANT = Want(("mse", "mean_variance"), columns=64, seconds=0.5)


@pytest.fixture
def run(runs, staircase, log_rows):
    """The folder of a run that is over; its segment may be changed by `changed`."""
    with Recorder("r", latents=3) as recorder:
        log_rows(recorder, staircase(200, 3))
    return runs / "r"


def changed(run):
    """Its segment, open to be changed."""
    return h5py.File(run / "segment-0000.h5", "r+", libver=("v110", "v110"), locking=False)


def refusal(run):
    """What is said in place of rows: of a segment that cannot be read, within so many words."""
    source = LocalSource(run)
    try:
        batch = source.poll(Cursor(), WANT)
        return "; ".join(each.text for each in batch.events if each.kind == "error") if not batch.rows else ""
    except VaemonError as error:
        return str(error)
    finally:
        source.close()


# Other files


def test_no_other_file_is_read_through_a_segment(run, tmp_path):
    """Neither by a link, nor as the bytes of a dataset, nor as a part of one."""
    secret = tmp_path / "secret"
    secret.write_bytes(b"s3cret!!" * 4096)
    with h5py.File(tmp_path / "other.h5", "w") as other:
        other["rows"] = np.zeros(4)
    whole = (run / "segment-0000.h5").read_bytes()
    for how in ("external link", "soft link", "external storage", "virtual"):
        (run / "segment-0000.h5").write_bytes(whole)
        with changed(run) as file:
            dtype = file[ROWS].dtype
            file.move(ROWS, "moved") if how == "soft link" else None
            if how != "soft link":
                del file[ROWS]
            if how == "external link":
                file[ROWS] = h5py.ExternalLink(str(tmp_path / "other.h5"), "rows")
            elif how == "soft link":
                file[ROWS] = h5py.SoftLink("/moved")
            elif how == "external storage":
                count = secret.stat().st_size // dtype.itemsize
                file.create_dataset(ROWS, (count,), dtype, external=[(str(secret), 0, count * dtype.itemsize)])
            else:
                layout = h5py.VirtualLayout((4,), dtype)
                layout[:] = h5py.VirtualSource(str(tmp_path / "other.h5"), "rows", (4,))
                file.create_virtual_dataset(ROWS, layout)
        said = refusal(run)
        assert "segment-0000.h5" in said, how
        assert "not in it" in said or "lies in other files" in said, how


@pytest.mark.parametrize("words", [["check", "--repair"], ["compact"], ["rm", "--yes"], ["mv", "other"]], ids=" ".join)
@pytest.mark.parametrize("name", ["writer.lock", ".run.json.PID", ".segment-0000.h5.PID"])
def test_nothing_is_written_through_the_links_of_a_run(run, tmp_path, name, words):
    """Neither through that of its lock nor through those that lie where files are made."""
    (kept := tmp_path / "kept").write_text("precious")
    name = name.replace("PID", str(os.getpid()))
    (run / name).unlink(missing_ok=True)
    (run / name).symlink_to(kept)
    CliRunner().invoke(vaemon, [words[0], "r", *words[1:]], standalone_mode=False)
    assert kept.read_text() == "precious"


def test_a_linked_segment_is_not_marked_closed(run, tmp_path):
    """It may be that of another run, which is being recorded."""
    path, other = run / "segment-0000.h5", tmp_path / "other.h5"
    path.rename(other)
    whole = other.read_bytes()
    path.symlink_to(other)
    other.write_bytes(whole[:11] + b"\x05" + whole[12:])  # its writer has it open
    head = other.read_bytes()[:44]
    other.write_bytes(head + superblock.lookup3(head).to_bytes(4, "little") + whole[48:])
    before = other.read_bytes()
    (checked,) = [each for each in check_run(run, live=False) if each.file == path]
    assert Remedy.CLOSE in [finding.remedy for finding in checked.findings]
    with pytest.raises(OSError, match="symbolic link"):
        list(repair_run(run))
    assert other.read_bytes() == before


def test_nothing_is_put_aside_where_a_link_leads(run, tmp_path):
    (run / "damaged").symlink_to(tmp_path, target_is_directory=True)
    (run / "segment-0000.h5").write_bytes(bytes(2000))
    with pytest.raises(RunFileError, match="is a link"):
        list(repair_run(run))
    assert not (tmp_path / "segment-0000.h5").exists()


def test_what_repair_makes_anew_is_made_beside_links(run, tmp_path):
    (kept := tmp_path / "kept").write_text("precious")
    for name in ("run.json", "segment-0000.h5"):
        (run / f".{name}.{os.getpid()}").symlink_to(kept)
        (run / name).write_bytes(bytes(2000))
    list(repair_run(run))
    assert kept.read_text() == "precious"
    assert manifest.read(run).name == "r"


@pytest.mark.parametrize("make", [os.mkfifo, lambda path: path.symlink_to("/dev/zero")], ids=["pipe", "device"])
@pytest.mark.parametrize("name", ["writer.lock", "run.json", "segment-0000.h5", "segment-0001.h5"])
def test_pipes_and_devices_in_place_of_files_hang_nobody(run, runs, name, make):
    (run / name).unlink(missing_ok=True)
    make(run / name)
    assert lock.holder(run) is None
    listed = LocalDirectory(runs).runs(60.0)
    assert [each.name for each in listed] == ([] if name == "run.json" else ["r"])
    refusal(run)
    assert list(check_run(run, live=False))


# Memory and time


def test_a_run_json_without_an_end_is_not_read_to_its_end(run, looked_at):
    with (run / "run.json").open("ab") as file:
        file.truncate(10 << 30)
    assert "more than 16,777,216 bytes" in looked_at("watch", "r", "--once")


def nested(run, depth):
    """Give the run a config so deep."""
    told = json.loads((run / "run.json").read_text())
    deep = json.dumps({**told, "config": "HERE"}).replace('"HERE"', '{"a":' * depth + "1" + "}" * depth)
    (run / "run.json").write_text(deep)


@pytest.mark.parametrize("depth", [manifest.MOST_DEPTH + 1, 900, 100_000])
def test_a_config_as_deep_as_a_well_is_told(run, depth):
    nested(run, depth)
    with pytest.raises(RunFileError, match="is damaged"):
        manifest.read(run)


def test_the_deepest_config_that_is_taken_is_drawn(run, looked_at):
    nested(run, manifest.MOST_DEPTH - 1)
    assert "is damaged" not in looked_at("watch", "r", "--once", "--json")
    assert "is damaged" not in looked_at("ls", "--json")


def sparse(file, name, rows):
    """The dataset, of so many rows that were never written."""
    file[name].resize(rows, axis=0)


def claims(rows, events):
    def change(file):
        file[COMMITS].resize(1, axis=0)
        file[COMMITS][0] = commit_record(rows, events, 0.0, 0, 0)[0]

    return change


def one_chunk_of(name, rows):
    """The dataset as one chunk of so many zeros, packed a thousandfold."""

    def change(file):
        dtype = file[name].dtype
        del file[name]
        made = file.create_dataset(name, (rows,), dtype, maxshape=(None,), chunks=(rows,), compression="gzip")
        made[:] = np.zeros(rows, dtype)

    return change


def packed_by_scale(file):
    dtype = file["pyramid/32/scalars"].dtype
    shape = file["pyramid/32/scalars"].shape
    del file["pyramid/32/scalars"]
    file.create_dataset("pyramid/32/scalars", shape, dtype, chunks=(1, *shape[1:]), scaleoffset=2)


def long_attribute(file):
    file.attrs["channels"] = "[" + "1," * (8 << 20) + "1]"


def attribute_of_many(file):
    file.attrs["replaces"] = np.array(["[]" * 1000] * 10_000, dtype=h5py.string_dtype())


def latents(count):
    def change(file):
        file.attrs["latents"] = count

    return change


BOMBS = {
    "events that were never written": lambda file: sparse(file, EVENTS, 10**12),
    "commits that were never written": lambda file: sparse(file, COMMITS, 10**11),
    "rows that were never written": lambda file: sparse(file, ROWS, 10**13),
    "a commit that counts rows that are not there": claims(2**62, 0),
    "a commit that counts events that are not there": claims(1, 2**62),
    "a commit that counts backwards": claims(-5, -5),
    "commits in one chunk": one_chunk_of(COMMITS, 500_000),
    "events in one chunk": one_chunk_of(EVENTS, 100_000),
    "an attribute without an end": long_attribute,
    "an attribute of many texts": attribute_of_many,
    "more latents than there are atoms": latents(2**62),
    "fewer latents than none": latents(-1),
    "latents that are infinite": latents(float("inf")),
}


def test_a_small_segment_takes_no_large_memory(run, runs, looked_at):
    """All of them in one process, so that what one of them took would be missed by the next."""
    for what, change in BOMBS.items():
        shutil.copytree(run, runs / what)
        with changed(runs / what) as file:
            change(file)
    listed = json.loads(looked_at("ls", "--json"))
    told = {each["name"]: each["reason"] for each in listed}
    for what in BOMBS:
        assert "segment-0000.h5" in told[what], what


@pytest.mark.soak
@pytest.mark.parametrize("words", [["check"], ["export", "--to"], ["watch", "--once"], ["analyze"]], ids=" ".join)
@pytest.mark.parametrize("what", BOMBS)
def test_nor_with_any_command(run, tmp_path, what, words, looked_at):
    with changed(run) as file:
        BOMBS[what](file)
    looked_at(words[0], "r", *words[1:], *[tmp_path / "out.csv"] * ("--to" in words))


def test_a_way_of_packing_that_is_not_ours_is_not_unpacked(run):
    with changed(run) as file:
        packed_by_scale(file)
    source = LocalSource(run)
    try:
        with pytest.raises(VaemonError, match="packed in a way that is not ours"):
            source.poll(Cursor(), Want(("mse",), columns=4, seconds=5.0))
    finally:
        source.close()


def test_a_lock_full_of_nonsense_is_no_writer(run):
    for content in (b"[" * 2048, b'{"pid": 1e999}', b'{"pid":' * 200, b"\xff" * 9999, b'{"pid": ' + b"9" * 2000 + b"}"):
        (run / "writer.lock").write_bytes(content)
        assert lock.holder(run) is None
        assert lock._who(content[:2048], 7).pid == 7


def test_damaged_texts_of_an_older_file_hang_nobody(run):
    """HDF5 goes round for ever in them; files of before had texts of any length."""
    path = run / "segment-0000.h5"
    with changed(run) as file:
        for name in ("replaces", "lacking", "channels"):
            file.attrs[name] = file.attrs[name].decode()
    assert refusal(run) == ""
    whole = path.read_bytes()
    at = whole.index(b"GCOL\x01") + 24
    for size in (b"\xff" * 8, bytes(8), (2**64 - 16).to_bytes(8, "little"), (4097).to_bytes(8, "little")):
        for first in (whole[at - 8 : at], bytes(8)):
            path.write_bytes(whole[: at - 8] + first + size + whole[at + 8 :])
            if size != bytes(8) or first == bytes(8):  # a text of no length is one
                assert "its texts are damaged" in refusal(run)
