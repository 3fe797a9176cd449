"""Figures of strangers, as .npz. What SECURITY.md promises of them is tested here; VAEMON_FUZZ says how long."""

import json
import os
import warnings
import zipfile
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.lib import format as npy

from analysis.arrays import read_posterior
from analysis.features.images import image_set
from analysis.features.statistics import Kept, load
from analysis.fid.compare import Asked, Side, compare
from trainer.data import arrays
from trainer.data.watch import Watch
from vaemon.errors import DataNotFound, UsageError, VaemonError

FUZZ = int(os.environ.get("VAEMON_FUZZ", "1"))
NOTE = {"count": 5, "ddof": 1, "distance": "FID", "recipe": "tf", "made_by": "x", "quantisation": "bytes"}
NUMBERS = st.floats() | st.sampled_from([1e300, -1e300, 1e-320, float("nan"), float("inf"), 0.0])


def packed(path, shapes):
    """A file whose arrays are zeros, packed a thousandfold."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, shape in shapes.items():
            with archive.open(f"{name}.npy", "w") as member:
                npy.write_array_header_1_0(member, {"descr": "<f8", "fortran_order": False, "shape": shape})
                member.write(bytes(8 * int(np.prod(shape))))
    return path


def test_packed_figures_are_refused_before_they_are_unpacked(tmp_path):
    with pytest.raises(DataNotFound, match="cannot hold"):
        load(packed(tmp_path / "a.npz", {"mu": (3200,), "sigma": (3200, 3200)}))
    with pytest.raises(UsageError, match="cannot hold"):
        read_posterior(packed(tmp_path / "b.npz", {"mean": (50_000, 100), "variance": (50_000, 100)}))


def test_packed_images_are_refused_before_they_are_unpacked(tmp_path, monkeypatch):
    path = packed(tmp_path / "a.npz", {"images": (100, 32, 32)})
    asked = []
    monkeypatch.setattr(arrays, "fits", lambda size: asked.append(size))
    with pytest.raises(DataNotFound, match="do not fit in memory"):
        image_set(path, Watch())
    assert asked[0] >= 100 * 32 * 32 * 8


def test_pickled_objects_are_refused(tmp_path):
    path = tmp_path / "a.npz"
    np.savez(path, mu=np.array([{}], object), sigma=np.eye(1), mean=np.array([{}], object), variance=np.eye(1))
    with pytest.raises(DataNotFound, match="cannot be read"):
        load(path)
    with pytest.raises(UsageError, match="cannot be read"):
        read_posterior(path)


@settings(max_examples=100 * FUZZ, deadline=None)
@given(st.lists(NUMBERS, min_size=2, max_size=2), st.lists(NUMBERS, min_size=4, max_size=4))
def test_statistics_of_any_numbers_are_compared_or_refused(tmp_path_factory, mean, covariance):
    path = tmp_path_factory.mktemp("s") / "a.npz"
    low, between, high, shift = covariance
    np.savez(path, mu=np.array(mean), sigma=np.array([[low, between], [between, high]]))
    try:
        found = load(path)
        assert isinstance(found, Kept)
        other = replace(found.statistics, mean=found.statistics.mean + np.clip(np.nan_to_num(shift), -1e9, 1e9))
        value = compare(Side("a", found.statistics, found.made), Side("b", other, found.made), Asked()).value
        assert value >= 0
        assert np.isfinite(value)
    except VaemonError:
        pass


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**80), 2**80) | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=100 * FUZZ, deadline=None)
@given(
    JSON.map(json.dumps)
    | st.builds(lambda told: json.dumps(NOTE | told), st.dictionaries(st.sampled_from(list(NOTE)), JSON))
    | st.just("[" * 100_000)
)
def test_a_note_of_any_content_is_read_or_refused(tmp_path_factory, note):
    path = tmp_path_factory.mktemp("n") / "a.npz"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        np.savez(path, mu=np.zeros(2), sigma=np.eye(2), vaemon=np.array(note))
        try:
            assert isinstance(load(path), Kept)
        except DataNotFound as error:
            assert "a.npz" in str(error)


@settings(max_examples=100 * FUZZ, deadline=None)
@given(
    st.sampled_from(["variance", "log_variance", "std"]),
    st.lists(NUMBERS, min_size=6, max_size=6),
    st.lists(NUMBERS, min_size=6, max_size=6),
)
def test_posteriors_of_any_numbers_are_judged_or_refused(tmp_path_factory, name, mean, spread):
    path = tmp_path_factory.mktemp("p") / "a.npz"
    np.savez(path, mean=np.array(mean).reshape(3, 2), **{name: np.array(spread).reshape(3, 2)})
    try:
        read_posterior(path)
    except UsageError as error:
        assert "a.npz" in str(error)


def test_a_sigma_that_is_not_symmetric_is_refused(tmp_path):
    np.savez(tmp_path / "a.npz", mu=np.zeros(2), sigma=np.array([[1.0, 0.5], [0.0, 1.0]]))
    with pytest.raises(DataNotFound, match="not symmetric"):
        load(tmp_path / "a.npz")
