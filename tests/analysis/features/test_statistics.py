import json
import os
from dataclasses import asdict

import numpy as np
import pytest

from analysis.features.statistics import Made, load, save
from analysis.measures.features import FeatureStatistics
from vaemon.errors import DataNotFound, VaemonError

MADE = Made("FID", "clean", "inception 6726825d clean float32", "bytes")
STATISTICS = FeatureStatistics(5, np.arange(3.0), np.eye(3))


def test_what_is_saved_is_loaded_and_is_what_pytorch_fid_reads(tmp_path):
    save(tmp_path / "a.npz", STATISTICS, MADE)
    found = load(tmp_path / "a.npz")
    assert found.made == MADE
    assert (found.statistics.count, found.statistics.ddof) == (5, 1)
    with np.load(tmp_path / "a.npz") as plain:  # as pytorch_fid.fid_score does it
        np.testing.assert_array_equal(plain["mu"][:], STATISTICS.mean)
        np.testing.assert_array_equal(plain["sigma"][:], STATISTICS.covariance)


def test_pytorch_fids_own_file_tells_no_more_than_it_does(tmp_path):
    np.savez_compressed(tmp_path / "a.npz", mu=STATISTICS.mean, sigma=STATISTICS.covariance)
    found = load(tmp_path / "a.npz")
    assert found.made is None
    assert found.statistics.count == 0


def test_a_file_of_something_else_is_left_to_others(tmp_path):
    np.savez(tmp_path / "images.npz", images=np.zeros((2, 4, 4)))
    np.save(tmp_path / "images.npy", np.zeros((2, 4, 4)))
    (tmp_path / "text.zip").write_bytes(b"text")
    for path in tmp_path.iterdir():
        assert load(path) is None
    assert load(tmp_path) is None


@pytest.mark.parametrize(
    ("mu", "sigma"),
    [
        (np.zeros(3), np.eye(3) * 1j),
        (np.zeros(3), np.zeros((3, 2))),
        (np.zeros(3), np.full((3, 3), np.nan)),
        (np.zeros((3, 3)), np.zeros((3, 3))),
    ],
)
def test_statistics_that_are_none_are_refused(tmp_path, mu, sigma):
    np.savez(tmp_path / "a.npz", mu=mu, sigma=sigma)
    with pytest.raises(DataNotFound, match=r"a\.npz"):
        load(tmp_path / "a.npz")


@pytest.mark.parametrize("change", [{"count": -4}, {"ddof": -1}, {"count": "many"}, {"recipe": "tf\x1b[2J"}])
def test_a_note_of_nonsense_is_refused(tmp_path, change):
    note = {"count": 5, "ddof": 1, **asdict(MADE), **change}
    np.savez(tmp_path / "a.npz", mu=STATISTICS.mean, sigma=STATISTICS.covariance, vaemon=np.array(json.dumps(note)))
    with pytest.raises(DataNotFound, match="cannot be read as statistics"):
        load(tmp_path / "a.npz")


def test_a_damaged_file_is_refused(tmp_path):
    save(tmp_path / "a.npz", STATISTICS, MADE)
    (tmp_path / "a.npz").write_bytes((tmp_path / "a.npz").read_bytes()[:-40])
    with pytest.raises(DataNotFound, match="cannot be read as statistics"):
        load(tmp_path / "a.npz")


def test_a_full_disk_leaves_what_was_there(tmp_path, monkeypatch):
    save(tmp_path / "a.npz", STATISTICS, MADE)

    def full(*_, **__):
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(VaemonError, match="No space left"):
        save(tmp_path / "a.npz", STATISTICS, MADE)
    assert [path.name for path in tmp_path.iterdir()] == ["a.npz"]
    assert load(tmp_path / "a.npz").made == MADE
