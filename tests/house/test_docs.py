"""The documents say what the program does."""

import re
import shlex
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

import vaemon
from trainer.catalogue import presets
from vaemon.channels import CHANNELS
from vaemon.cli import COMMANDS
from vaemon.cli import vaemon as command_line

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PROTOCOL = (ROOT / "docs" / "protocol.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_and_stands_in_the_readme(name):
    done = CliRunner().invoke(command_line, [name, "--help"])
    assert done.exit_code == 0
    assert len(done.output.splitlines()) > 5
    assert f"vaemon {name}" in README


@pytest.mark.parametrize("line", re.findall(r"^(?:\$ )?vaemon ([a-z]+ .*?)(?:\s{2,}#.*)?$", README, re.MULTILINE))
def test_every_option_in_the_readme_exists(line):
    name, *rest = line.split()
    command = command_line.get_command(click.Context(command_line), name)
    if isinstance(command, click.Group):
        command = command.commands[rest[0]]
    known = {option for parameter in command.params for option in parameter.opts}
    assert {word.split("=")[0] for word in rest if word.startswith("--")} <= known


@pytest.mark.parametrize("line", sorted(set(re.findall(r"`vaemon ([^`]+)`", PROTOCOL))))
def test_every_command_of_the_protocol_is_one(line):
    """Its options are known, and take what they are given; what it trains is a preset."""
    name, *rest = shlex.split(line)
    command = command_line.get_command(click.Context(command_line), name)
    assert command, name
    context = click.Context(command, info_name=name)
    given, left, order = command.make_parser(context).parse_args(rest)
    assert not left
    for option in order:
        if isinstance(option, click.Option):
            option.type_cast_value(context, given[option.name])
    if name in ("train", "sweep") and rest and rest[0] != "PRESET":
        assert given["preset"] in presets()


def test_every_picture_and_page_the_readme_points_to_is_there():
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", README):
        if "://" not in target:
            assert (ROOT / target).exists(), target


def test_the_python_of_the_readme_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("VAEMON_RUNS", raising=False)
    blocks = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    assert blocks
    for block in blocks:
        exec(compile(block, "README.md", "exec"), {"__name__": "readme"})
    with vaemon.open_run() as run:
        assert len(run.series("mean_variance").mean) > 10


LIBRARIES = {"lightning", "transformers", "accelerate", "pythae", "scvi", "diffusers"}


def test_every_adapter_is_documented_by_a_script_and_tested_against_its_library():
    found = {path.stem for path in (ROOT / "vaemon" / "adapters").glob("*.py")}
    assert found - {"__init__", "encoder", "hook", "ledger", "posterior"} == LIBRARIES
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for name in LIBRARIES:
        assert f"(docs/examples/with_{name}.py)" in README
        assert (ROOT / "tests" / "adapters" / f"test_{name}.py").exists()
        assert name in re.findall(r"^ADAPTERS := (.*)$", makefile, re.MULTILINE)[0].split()


def test_every_channel_stands_in_the_description_of_the_run_file():
    text = (ROOT / "docs" / "run-file.md").read_text(encoding="utf-8")
    for name in CHANNELS:
        assert f"`{name}`" in text, name


def test_the_plain_h5py_of_the_run_file_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("VAEMON_RUNS", raising=False)
    with vaemon.Recorder("run42", latents=2) as recorder:
        for step in range(1, 101):
            recorder.log(step, gamma=1 / step, mean_variance=[0.5, 1.0])
        recorder.flush()
        text = (ROOT / "docs" / "run-file.md").read_text(encoding="utf-8")
        (block,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
        names = {"print": lambda *values: seen.append(values)}
        seen = []
        exec(compile(block, "run-file.md", "exec"), names)
    assert seen[0][0].tolist() == list(range(1, 101))
    assert seen[0][2] == (100, 2)
    assert seen[1][0].tolist() == [[0.5, 1.0]] * 3
    assert len(block.splitlines()) <= 15


def test_the_changelog_has_a_place_for_what_is_new():
    assert "## [Unreleased]" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
