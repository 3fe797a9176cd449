"""Segments that are cut, changed, or something else altogether: the rows that are whole, or an error with the path.

Never a hang, never a crash, never rows that nobody logged.
"""

import os
import random
import shutil
import zipfile

import h5py
import numpy as np
import pytest

from vaemon import Recorder, open_run
from vaemon.errors import RunFileError
from vaemon.runfile.superblock import lookup3

LATENTS = 64
ROWS = 768
ALL = list(range(1, ROWS + 1))
HANGS = 3.0


def vector(step):
    return np.random.default_rng(step).standard_normal(LATENTS, np.float32)


def record(talk, runs):
    """A run of blocks of 64 rows; how large its segment was after each."""
    sizes = []
    with Recorder("r", runs=runs, latents=LATENTS) as recorder:
        for step in ALL:
            recorder.log(step, mean_variance=vector(step), mse=float(step))
            if step % 64 == 0:
                recorder.flush()
                sizes.append(os.path.getsize(f"{runs}/r/segment-0000.h5"))
    return sizes


def read_each(talk, runs):
    """Reads the run whenever it is told that it has changed."""
    while talk.hear():
        talk.say(read(runs))


def read(runs):
    try:
        with open_run("r", runs) as run:
            if not run.segments:
                return []
            steps = run.series("step").mean
            rows = run.series("mean_variance").mean
            right = all((row == vector(step)).all() for step, row in zip(steps, rows, strict=True))
            right = right and (run.series("mse").mean == steps).all() and pooled_right(run.series("mse", points=10))
            return steps if right else {"made up": steps}
    except RunFileError as error:
        return str(error)


def pooled_right(pooled):
    """Whether points that stand for several rows are right, where mse is the step."""
    first = np.concatenate([[1], pooled.step[:-1] + 1])
    middle = (first + pooled.step) / 2
    return (pooled.low == first).all() and (pooled.high == pooled.step).all() and np.allclose(pooled.mean, middle)


@pytest.fixture(scope="module")
def recorded(fork_server, tmp_path_factory):
    """The bytes of a segment, its size after each block, and its folder."""
    runs = tmp_path_factory.mktemp("recorded")
    sizes = fork_server.call(record, runs=runs)
    return (runs / "r" / "segment-0000.h5").read_bytes(), sizes, runs / "r"


@pytest.fixture
def empty_run(runs, recorded):
    """The folder of a run without any segment."""
    (runs / "r").mkdir(parents=True)
    shutil.copy(recorded[2] / "run.json", runs / "r")
    return runs / "r"


@pytest.fixture
def reads(forks, runs, empty_run):
    """reads(content) -> the steps read of a segment that holds that; [] where that is an error with its path."""
    path = empty_run / "segment-0000.h5"
    child = forks.start(read_each, runs=runs)

    def answer(content):
        path.write_bytes(content)
        child.say(True)
        said = child.hear()
        if isinstance(said, str):
            assert str(path) in said
            return []
        return said

    return answer


def test_the_whole_segment_is_read(reads, recorded):
    assert reads(recorded[0]) == ALL


def test_a_segment_cut_after_any_block_gives_whole_rows_or_an_error(reads, recorded):
    whole, sizes, _ = recorded
    for size in sorted({*sizes}):
        said = reads(whole[:size])
        assert said == ALL[: len(said)]


def test_a_segment_cut_anywhere_gives_whole_rows_or_an_error(reads, recorded):
    whole, _, _ = recorded
    rng = random.Random(0)
    for size in [rng.randrange(len(whole)) for _ in range(40)]:
        said = reads(whole[:size])
        assert said == ALL[: len(said)], size


def test_a_segment_cut_within_a_row_gives_no_row_with_made_up_zeros(reads, recorded):
    whole, _, _ = recorded
    for step in (64, 65, 256, 512, 513, 767, 768):
        at = whole.rfind(vector(step).tobytes())
        assert at > 0
        for size in (at, at + 4, at + 4 * LATENTS - 4):
            said = reads(whole[:size])
            assert said == ALL[: len(said)], (step, size)


def left_open(content):
    """The bytes of a file as a writer that dies leaves them: flags of a SWMR writer, and a checksum that fits."""
    head = content[:11] + bytes([5]) + content[12:44]
    return head + lookup3(head).to_bytes(4, "little") + content[48:]


def test_a_file_left_open_is_read_whole(reads, recorded):
    assert reads(left_open(recorded[0])) == ALL


def test_a_flipped_bit_in_a_row_of_a_writer_that_died_is_told(reads, recorded):
    whole = left_open(recorded[0])
    at = whole.rfind(vector(300).tobytes()) + 10
    said = reads(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
    assert said == ALL[: len(said)]


def test_a_page_of_zeros_in_a_row_of_a_writer_that_died_is_told(reads, recorded):
    """What a loss of power leaves: some of the pages written last have never come to the disk."""
    whole = left_open(recorded[0])
    at = (whole.rfind(vector(300).tobytes()) // 4096 + 1) * 4096
    said = reads(whole[:at] + bytes(4096) + whole[at + 4096 :])
    assert said == ALL[: len(said)]


# Something else under that name


def plain(path, libver="earliest"):
    with h5py.File(path, "w", libver=libver) as file:
        file["images"] = np.zeros((10, 3))


def torch_like(path):
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("archive/data.pkl", b"\x80\x02}q\x00.")


def names_only(path):
    with h5py.File(path, "w", libver=("v110", "v110")) as file:
        for name in ("rows", "events", "blocks"):
            file.create_dataset(name, (3,), "f4", maxshape=(None,))


def cut_signature(path):
    path.write_bytes(b"\x89HDF\r\n\x1a\n\x03")


OTHERS = {
    "nothing": lambda path: path.write_bytes(b""),
    "zeros": lambda path: path.write_bytes(bytes(5000)),
    "garbage": lambda path: path.write_bytes(random.Random(1).randbytes(50_000)),
    "text": lambda path: path.write_text("step,loss\n1,0.5\n"),
    "a signature and garbage": lambda path: path.write_bytes(b"\x89HDF\r\n\x1a\n" + random.Random(2).randbytes(5000)),
    "a cut signature": cut_signature,
    "a file of plain h5py": plain,
    "a file of plain h5py, newest format": lambda path: plain(path, "latest"),
    "a checkpoint of torch": torch_like,
    "the right names": names_only,
    "a folder": lambda path: path.mkdir(),
    "a link to nothing": lambda path: path.symlink_to("nothing"),
    "a link to itself": lambda path: path.symlink_to(path.name),
    "a file without permission": lambda path: (path.write_bytes(b""), path.chmod(0)),
}


def read_once(talk, runs):
    return read(runs)


@pytest.mark.parametrize("what", OTHERS)
def test_something_else_named_like_a_segment_is_an_error_with_its_path(forks, runs, empty_run, what):
    OTHERS[what](empty_run / "segment-0000.h5")
    said = forks.call(read_once, runs=runs)
    assert str(empty_run / "segment-0000.h5") in said


def test_a_pipe_named_like_a_segment_hangs_nobody(forks, runs, empty_run):
    os.mkfifo(empty_run / "segment-0000.h5")
    child = forks.start(read_once, runs=runs)
    assert str(empty_run / "segment-0000.h5") in child.hear(HANGS)


# A segment in which one thing is not what it should be


def changed_segments(path, change):
    """One after the other, the segment with one of its datasets, or attributes, changed."""
    whole = path.read_bytes()
    names = []
    with h5py.File(path, "r") as file:
        if change in ATTRIBUTES:
            names += file.attrs
        else:
            file.visit(names.append)
    for name in names:
        path.write_bytes(whole)
        with h5py.File(path, "r+", libver=("v110", "v110"), locking=False) as file:
            CHANGES[change](file, name)
        yield name, path.read_bytes()


def replace_by_group(file, name):
    del file[name]
    file.create_group(name)


def replace_by_numbers(file, name):
    del file[name]
    file.create_dataset(name, data=np.arange(5.0))


def replace_by_one_number(file, name):
    del file[name]
    file.create_dataset(name, data=1.0)


def remove(file, name):
    del file[name]


def shorten(file, name):
    if isinstance(file[name], h5py.Dataset):
        file[name].resize(len(file[name]) // 2, axis=0)


def remove_attribute(file, name):
    del file.attrs[name]


def attribute_of_text(file, name):
    file.attrs[name] = "{"


def attribute_of_numbers(file, name):
    file.attrs[name] = np.arange(3)


DATASETS = {
    "removed": remove,
    "a group instead": replace_by_group,
    "numbers instead": replace_by_numbers,
    "one number instead": replace_by_one_number,
    "shortened": shorten,
}
ATTRIBUTES = {
    "attribute removed": remove_attribute,
    "attribute of text": attribute_of_text,
    "attribute of numbers": attribute_of_numbers,
}
CHANGES = {**DATASETS, **ATTRIBUTES}


@pytest.mark.parametrize("change", CHANGES)
def test_a_segment_with_one_thing_changed_gives_whole_rows_or_an_error(forks, reads, recorded, tmp_path, change):
    path = tmp_path / "changed.h5"
    path.write_bytes(recorded[0])
    for name, content in changed_segments(path, change):
        said = reads(content)
        assert said == ALL[: len(said)], name
