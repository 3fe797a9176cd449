"""Distances kept with a run: one a recipe, step and number, whole or not there, and what is damaged is said."""

import pytest

from analysis.kept import FILE, Distances, keep, kept
from vaemon.errors import RunFileError, VaemonError


def test_nothing_kept_is_nothing(tmp_path):
    assert kept(tmp_path) == ()


def test_a_newer_result_takes_the_place_of_one_of_its_recipe_step_and_number(tmp_path):
    whole, few = {"images": 10_000, "weights": "6726825d"}, {"images": 100}
    for each in (
        Distances("asperti", 400, {"REC": 60.0}, whole),
        Distances("tf", 400, {"REC": 61.0}, whole),
        Distances("asperti", 400, {"REC": 59.5, "GEN-2": 71.0}, whole),
        Distances("asperti", 400, {"REC": 160.0}, few),
    ):
        keep(tmp_path, each)
    assert [(each.recipe, each.images, each.values) for each in kept(tmp_path)] == [
        ("tf", 10_000, {"REC": 61.0}),
        ("asperti", 10_000, {"REC": 59.5, "GEN-2": 71.0}),
        ("asperti", 100, {"REC": 160.0}),
    ]
    assert list(tmp_path.iterdir()) == [tmp_path / FILE]


@pytest.mark.parametrize(
    ("text", "said"),
    [("{", "cannot be read"), ('{"results": 1}', "cannot be read"), ('{"results": [], "format": 9}', "format 9")],
)
def test_what_is_no_such_file_is_told_and_left_alone(tmp_path, text, said):
    (tmp_path / FILE).write_text(text)
    with pytest.raises(RunFileError, match=said):
        kept(tmp_path)
    with pytest.raises(RunFileError):
        keep(tmp_path, Distances("tf", 1, {}))
    assert (tmp_path / FILE).read_text() == text


def test_a_folder_that_is_gone(tmp_path):
    with pytest.raises(VaemonError, match="cannot write"):
        keep(tmp_path / "gone", Distances("tf", 1, {}))
