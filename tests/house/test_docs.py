"""The pages say what the program does."""

import importlib.util
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

import vaemon
from trainer.catalogue import presets
from vaemon.channels import CHANNELS
from vaemon.cli import COMMANDS
from vaemon.cli import vaemon as command_line
from vaemon.view.facts import TRUTHS

ROOT = Path(__file__).parents[2]
PAGES = {
    str(path.relative_to(ROOT)): path.read_text(encoding="utf-8")
    for path in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
}
OTHERS = {name: (ROOT / name).read_text(encoding="utf-8") for name in ("ARCHITECTURE.md", "CONTRIBUTING.md")}
FLAGS = re.DOTALL | re.MULTILINE
ALL = "\n".join(PAGES.values())


def blocks(text, language):
    return [code for found, code in re.findall(r"^```(\w*)\n(.*?)^```$", text, FLAGS) if found == language]


def lines_of(text):
    """The commands of a page: each line of a block, and what is named within a sentence."""
    code = "\n".join([*blocks(text, ""), *blocks(text, "sh"), *re.findall("^ {4}(.*)$", text, re.MULTILINE)])
    found = re.findall(r"^(?:.* )?vaemon ([a-z]+(?: .*)?)$", code.replace("\\\n", ""), re.MULTILINE)
    text = re.sub(r"^```.*?^```$", "", text, flags=FLAGS)
    return [*found, *re.findall(r"`vaemon ([a-z]+[^`]*)`", text.replace("\n", " "))]


COMMAND_LINES = sorted({line for name, text in PAGES.items() if name != "docs/commands.md" for line in lines_of(text)})


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_and_stands_in_a_page(name):
    done = CliRunner().invoke(command_line, [name, "--help"])
    assert done.exit_code == 0
    assert len(done.output.splitlines()) > 5
    assert f"vaemon {name}" in ALL


@pytest.mark.parametrize("line", COMMAND_LINES)
def test_every_command_of_the_pages_is_one(line):
    """Its options are known, and take what they are given; what it trains is a preset."""
    name, *rest = shlex.split(re.sub(r"\s+[#|] .*", "", line))
    command = command_line.get_command(click.Context(command_line), name)
    assert command, name
    if isinstance(command, click.Group) and rest:
        command, rest = command.commands[rest[0]], rest[1:]
    context = click.Context(command, info_name=name, help_option_names=["-h", "--help"])
    given, left, order = command.make_parser(context).parse_args(rest)
    assert not left
    for option in order:
        if isinstance(option, click.Option):
            option.type_cast_value(context, given[option.name])
    preset = given.get("preset") if name in ("train", "sweep") else None
    if isinstance(preset, str) and preset != "PRESET" and not preset.endswith(".toml"):
        assert preset in presets()


def test_commands_are_found_in_blocks_and_sentences():
    assert len(COMMAND_LINES) > 120
    assert any("slurm" in line for line in COMMAND_LINES)  # a line that goes on in the next


@pytest.mark.parametrize("page", [*PAGES, *OTHERS])
def test_every_page_picture_and_heading_that_is_pointed_to_is_there(page):
    text = re.sub(r"^```.*?^```", "", (PAGES | OTHERS)[page], flags=FLAGS)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if "://" in target:
            continue
        file, _, anchor = target.partition("#")
        path = (ROOT / page).parent / file if file else ROOT / page
        assert path.exists(), target
        if page.startswith("docs/"):
            assert ROOT / "docs" in path.resolve().parents, f"{target} is no part of the site"
        if anchor:
            assert anchor in anchors(path.read_text(encoding="utf-8")), target


def anchors(text):
    text = re.sub(r"^```.*?^```", "", text, flags=FLAGS)
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


def test_every_page_is_in_the_site_and_every_picture_in_a_page():
    listed = re.findall(r"- ([a-z-]+\.md)$", (ROOT / "mkdocs.yml").read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(f"docs/{name}" for name in listed) == sorted(name for name in PAGES if name != "README.md")
    for picture in (ROOT / "docs" / "screens").iterdir():
        assert f"screens/{picture.name}" in ALL


def test_the_readme_is_short():
    assert len(PAGES["README.md"].splitlines()) < 200


def test_what_pages_take_from_the_code_is_up_to_date(tmp_path):
    for page in (ROOT / "docs").glob("*.md"):
        shutil.copy(page, tmp_path)
    # In a process of its own: a command remembers how it was first asked for its help, be it in another test.
    words = [sys.executable, str(ROOT / "docs" / "generate.py"), str(tmp_path)]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True)
    assert not done.stdout, f"stale: make docs-generate\n{done.stdout}"


def test_everything_generated_stands_in_a_page():
    marks = re.findall(r"<!-- generated: ([a-z-]+) -->", ALL)
    assert sorted(marks) == sorted(generator().MADE)
    assert "old" not in generator().generated("<!-- generated: views -->\nold\n<!-- end of views -->")


def generator():
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("page", ["README.md", "docs/quick-start.md", "docs/recording.md"])
def test_the_python_of_the_pages_runs(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("VAEMON_RUNS", raising=False)
    found = blocks(PAGES[page], "python")
    assert found
    for block in found:
        exec(compile(block, page, "exec"), {"__name__": "page"})
    with vaemon.open_run() as run:
        assert len(run.series("mean_variance").mean) > 10


def test_all_other_python_of_the_pages_is_run_by_a_test_of_its_own():
    tested = {"README.md", "docs/quick-start.md", "docs/recording.md", "docs/run-file.md"}
    assert {name for name, text in PAGES.items() if blocks(text, "python")} == tested


LIBRARIES = {"lightning", "transformers", "accelerate", "pythae", "scvi", "diffusers"}


def test_every_adapter_is_documented_by_a_script_and_tested_against_its_library():
    found = {path.stem for path in (ROOT / "vaemon" / "adapters").glob("*.py")}
    assert found - {"__init__", "encoder", "hook", "ledger", "posterior"} == LIBRARIES
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for name in LIBRARIES:
        assert f"(examples/with_{name}.py)" in PAGES["docs/recording.md"]
        assert (ROOT / "tests" / "adapters" / f"test_{name}.py").exists()
        assert name in re.findall(r"^ADAPTERS := (.*)$", makefile, re.MULTILINE)[0].split()


def test_every_channel_stands_in_the_description_of_the_run_file():
    for name in CHANNELS:
        assert f"`{name}`" in PAGES["docs/run-file.md"], name


def test_every_name_of_a_condition_stands_in_a_page():
    for name in (*TRUTHS, "active", "waking", "limbo", "collapsed", "inactive", "active_units", "latents", "rate"):
        assert f"`{name}`" in PAGES["docs/headless.md"], name


def test_the_plain_h5py_of_the_run_file_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("VAEMON_RUNS", raising=False)
    with vaemon.Recorder("run42", latents=2) as recorder:
        for step in range(1, 101):
            recorder.log(step, gamma=1 / step, mean_variance=[0.5, 1.0])
        recorder.flush()
        (block,) = blocks(PAGES["docs/run-file.md"], "python")
        names = {"print": lambda *values: seen.append(values)}
        seen = []
        exec(compile(block, "run-file.md", "exec"), names)
    assert seen[0][0].tolist() == list(range(1, 101))
    assert seen[0][2] == (100, 2)
    assert seen[1][0].tolist() == [[0.5, 1.0]] * 3
    assert len(block.splitlines()) <= 15


def test_the_changelog_begins_with_what_is_new_or_with_this_version():
    newest = re.search(r"^## \[(.+?)\]", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert newest[1] in ("Unreleased", vaemon.__version__)
