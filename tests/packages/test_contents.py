"""What is in the packages."""

import email
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

from vaemon.version import __version__

ROOT = Path(__file__).parents[2]
ROOMS = ("vaemon", "trainer", "analysis")


def contents(wheel):
    with zipfile.ZipFile(wheel) as file:
        return {name: file.read(name) for name in file.namelist()}


def followed(*paths):
    """What git follows below these paths."""
    words = ["git", "-C", str(ROOT), "ls-files", "-z", "--", *paths]
    found = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    return set(filter(None, found.split("\0")))


def test_the_wheel_holds_the_program_with_its_data_and_nothing_else(built):
    found = contents(built.wheel)
    about = f"vaemon-{__version__}.dist-info"
    assert set(found) == followed(*ROOMS) | {
        f"{about}/{each}" for each in ("METADATA", "WHEEL", "RECORD", "entry_points.txt")
    }
    for name in ("vaemon/py.typed", "vaemon/source/far/far_end.sh", "trainer/presets/shapes.toml"):
        assert found[name] == (ROOT / name).read_bytes()


def test_the_sdist_makes_the_same_wheel(built):
    assert contents(built.wheel) == contents(built.straight)


def test_the_sdist_holds_the_program_and_its_documents(built):
    with tarfile.open(built.sdist) as file:
        found = {each.name.partition("/")[2] for each in file.getmembers() if each.isfile()}
    documents = {"README.md", "CHANGELOG.md", "ARCHITECTURE.md", "SECURITY.md", "pyproject.toml", ".gitignore"}
    assert found == followed(*ROOMS, "docs") | documents | {"PKG-INFO"}


def test_an_index_would_take_them(built):
    words = [sys.executable, "-m", "twine", "check", "--strict", str(built.sdist), str(built.wheel)]
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_what_the_metadata_says(built):
    about = email.message_from_bytes(contents(built.wheel)[f"vaemon-{__version__}.dist-info/METADATA"])
    assert (about["Name"], about["Version"]) == ("vaemon", __version__)
    assert about["Requires-Python"] == ">=3.11"
    assert about["Description-Content-Type"] == "text/markdown"
    assert about.get_payload(decode=True).decode() == (ROOT / "README.md").read_text(encoding="utf-8")
    assert {"train", "analyze", "images", "figures", "sweep", "rae"} <= set(about.get_all("Provides-Extra"))
    needed = [each for each in about.get_all("Requires-Dist") if "extra ==" not in each]
    assert not [each for each in needed if each.startswith(("torch", "scipy", "pillow", "matplotlib"))]
    assert "Typing :: Typed" in about.get_all("Classifier")
