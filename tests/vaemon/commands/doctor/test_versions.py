import pytest

from vaemon.commands.doctor import versions


@pytest.mark.parametrize(
    ("requirement", "found", "fits"),
    [
        ("h5py>=3.14", "3.16.0", True),
        ("h5py>=3.14", "3.9.1", False),
        ("textual<9,>=8.2", "8.2.8", True),
        ("textual<9,>=8.2", "9.0.0", False),
        ("textual<9,>=8.2", "9.0", False),
        ("torch>=2.4; extra == 'train'", "2.13.0+cpu", True),
        ("torch>=2.4; extra == 'train'", "2.3.1", False),
        ("numpy>=2.0", "2", True),
        ("numpy>=2.0", "2.1rc1", True),
        ("numpy", "1", True),
        ("numpy", "", False),
    ],
)
def test_a_version_fits_or_not(requirement, found, fits):
    assert versions._fits(found, versions._parsed(requirement)[1]) is fits


def test_what_is_too_old_or_missing_is_a_failure(monkeypatch):
    asked = ["numpy>=99", "nowhere-to-be-found>=1", "submitit>=1; extra == 'sweep'", "pyarrow>=18; extra == 'parquet'"]
    monkeypatch.setattr(versions, "requires", lambda name: asked)
    monkeypatch.setattr(versions, "installed", lambda name: {"numpy": "2.4"}.get(name, ""))
    packages = list(versions.examine())[-1]
    assert packages.level == "failure"
    assert packages.text == "numpy 2.4, >=99 wanted; nowhere-to-be-found missing, >=1 wanted"


def test_extras_that_are_not_there_are_no_failure():
    python, vaemon, packages = versions.examine()
    assert {each.level for each in (python, vaemon, packages)} == {"ok"}
