"""`vaemon analyze --table` and `--figure` from the command line: what is printed, written, refused."""

import csv
import io
import json
import math
import subprocess
import sys

import pytest
from click.testing import CliRunner

from analysis.command import analyze
from vaemon.errors import UnknownName, UsageError, VaemonError


def invoke(*arguments, charset="utf-8"):
    return CliRunner(charset=charset).invoke(analyze, arguments, catch_exceptions=False)


@pytest.fixture
def two(record):
    """Two runs alike but for the seed, one of them without FID."""
    record("run0", {1: {"mse": 0.04, "variance_law": 1.2, "epoch": 50}, 4: {"mse": 0.02, "REC": 60.0, "epoch": 100}})
    record("run1", {1: {"mse": 0.06, "variance_law": 1.0, "epoch": 50}}, {"seed": 1}, inactive=5)


def test_a_table_has_the_runs_above_the_paper(two):
    lines = invoke("run*", "--table", "1").stdout.splitlines()
    assert lines[0] == "Table 1 · CIFAR-10, over the epochs of stage 1 · 2 runs"
    at = next(i for i, line in enumerate(lines) if line.strip().startswith("50 "))
    assert " ".join(lines[at].split()) == "50 2 runs – – – 0.0500 ± 0.0141 1.100 ± 0.141"
    assert lines[at + 1].split()[:4] == ["paper", "120.9", "±", "5.8"]
    assert lines[at + 2].split() == ["100", "run0", "60.0", "–", "–", "0.0200", "–"]
    assert lines[-1] == (
        "REC, GEN-1 and GEN-2 not computed of all runs yet: vaemon analyze 'run*' --fid --recipe asperti"
    )
    assert max(map(len, lines)) <= 100


def test_the_command_that_gets_the_rest_names_the_folder_of_runs(two, runs):
    assert f"vaemon analyze --runs {runs} --fid" in invoke("--runs", str(runs), "--table", "1").stdout


def test_where_nothing_is_lacking_nothing_is_said(record):
    record("full", {4: {"REC": 1.0, "GEN-1": 2.0, "GEN-2": 3.0}})
    assert "not computed" not in invoke("full", "--table", "2").stdout


def test_a_mean_over_fewer_runs_than_the_line_says_so(record):
    for i in range(3):
        record(f"run{i}", {4: {"mse": 0.1, **({"REC": 50.0 + i} if i else {})}})
    assert "51.5 ± 0.7 (of 2)" in invoke("run*", "--table", "1").stdout


def test_json_has_every_number_and_nothing_else_on_stdout(two):
    told = json.loads(invoke("run*", "--table", "1", "--json").stdout)
    assert (told["table"], sorted(told["runs"]), len(told["lines"])) == (1, ["run0", "run1"], 16)
    own, paper = [line for line in told["lines"] if line["epochs"] == 50]
    assert own["mse"] == {"mean": 0.05, "std": pytest.approx(0.02 / 2**0.5), "runs": 2}
    assert "REC" not in own
    assert (paper["of"], paper["runs"], paper["REC"]) == ("paper", [], {"mean": 120.9, "std": 5.8, "runs": None})
    assert told["lacking"] == ["REC", "GEN-1", "GEN-2"]


def test_csv_has_the_same(two):
    rows = list(csv.DictReader(io.StringIO(invoke("run*", "--table", "1", "--csv").stdout)))
    assert len(rows) == 16
    own, paper = [row for row in rows if row["epochs"] == "50"]
    assert (own["of"], own["mse"], own["mse_runs"], own["REC"]) == ("runs", "0.05", "2", "")
    assert (paper["of"], paper["GEN-2"], paper["GEN-2_std"], paper["GEN-2_runs"]) == ("paper", "143.8", "9.7", "")


def test_only_chooses(two):
    assert json.loads(invoke("run*", "--table", "1", "--json", "--only", "inactive=5").stdout)["runs"] == ["run1"]


def test_ascii_where_stdout_takes_no_more(two):
    text = invoke("run*", "--table", "1", charset="ascii").stdout
    assert text.isascii()
    assert "0.0500 +- 0.0141" in text
    assert "?" not in text
    lines = invoke("run*", "--table", "2", charset="ascii").stdout.splitlines()
    assert len({line.index("paper") for line in lines if " paper  " in line}) == 1, "laid out after it was written"


@pytest.mark.parametrize(
    ("figure", "title"), [("4", "of the first epoch"), ("5", ""), ("6", ""), ("latents", "40 steps")]
)
def test_figures_of_latents_in_the_terminal(two, figure, title):
    lines = invoke("run0", "--figure", figure).stdout.splitlines()
    assert len(lines) == 24
    assert lines[0].strip().startswith("E[σ²] of run0: 8 latents")


def test_figure_2_in_the_terminal_says_what_is_lacking(two):
    assert "none of run1 yet, the paper's" in invoke("run1", "--figure", "2").stdout
    text = invoke("run*", "--figure", "2").stdout
    assert "2 runs, the paper's" in text
    assert "REC (paper)" in text
    assert text.splitlines()[-1].endswith("vaemon analyze 'run*' --fid --recipe asperti")


def test_what_is_not_finite_is_told_in_tables_and_left_out_of_figure_2(record):
    record("run", {1: {"REC": math.nan, "mse": math.inf}, 4: {"REC": 70.0}})
    (line,) = [each for each in invoke("run", "--table", "1").stdout.splitlines() if each.split()[:2] == ["1", "run"]]
    assert line.split()[2:] == ["NaN", "–", "–", "∞", "–"]
    assert "while training: run, the paper's" in invoke("run", "--figure", "2").stdout
    record("lost", {4: {"REC": math.nan}})
    assert "none of lost yet, the paper's" in invoke("lost", "--figure", "2").stdout


def test_figure_2_of_nothing_says_how_to_get_it(record, tmp_path):
    record("run", {4: {"mse": 0.1}}, {"data.name": "mnist"})
    with pytest.raises(VaemonError, match=r"nothing to show: REC, GEN-1 .*: vaemon analyze run --fid --recipe asperti"):
        invoke("run", "--figure", "2", "--to", str(tmp_path / "figure.png"))
    assert list(tmp_path.glob("*.png")) == []


@pytest.mark.parametrize("figure", ["2", "5"])
def test_a_figure_in_a_file_never_takes_the_place_of_another(two, tmp_path, figure):
    pytest.importorskip("matplotlib", reason="vaemon[figures] is not installed")
    to = tmp_path / "figure.svg"
    to.write_text("mine")
    done = invoke("run0", "--figure", figure, "--to", str(to))
    assert to.read_text() == "mine"
    assert done.stdout.splitlines()[0] == f"written: {tmp_path / 'figure-2.svg'}"
    assert "<svg" in (tmp_path / "figure-2.svg").read_text()


def test_a_folder_that_is_not_there(two, tmp_path):
    pytest.importorskip("matplotlib", reason="vaemon[figures] is not installed")
    with pytest.raises(VaemonError, match="cannot write"):
        invoke("run0", "--figure", "5", "--to", str(tmp_path / "no" / "figure.png"))


def test_without_matplotlib_one_line_says_what_to_install(two, runs, tmp_path):
    to = str(tmp_path / "figure.png")
    code = (
        "import sys; sys.modules['matplotlib'] = None\n"
        f"sys.argv = ['vaemon', 'analyze', 'run0', '--runs', {str(runs)!r}, '--figure', '5', '--to', {to!r}]\n"
        "from vaemon.cli import main; main()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == "vaemon: this needs the package 'matplotlib': pip install 'vaemon[figures]'\n"
    assert list(tmp_path.glob("*.p*")) == []  # neither the figure nor a part of it


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--table", "1", "--figure", "2"], "ask for one after the other"),
        (["--only", "active=17"], "--only chooses among the runs"),
        (["--figure", "5", "--only", "active=17"], "--only chooses among the runs"),
        (["--to", "x.png"], "--to takes a figure"),
        (["--figure", "5", "--to", "x.gif"], "ends in .png, .svg, .pdf"),
        (["--table", "1", "--inactive", "--stage", "2"], "does not go with --inactive, --stage"),
        (["--figure", "5", "--json"], "does not go with --json"),
        (["--table", "1", "--json", "--csv"], "two ways to write the same"),
        (["run*", "--figure", "5"], "is of one run, not of 2"),
    ],
)
def test_what_does_not_go_together(two, options, message):
    with pytest.raises(UsageError, match=message):
        invoke(*options)


@pytest.mark.parametrize("options", [["--table", "6"], ["--table", "0"], ["--figure", "3"], ["--figure"]])
def test_there_are_no_others(two, options):
    assert invoke(*options).exit_code == 2


def test_a_run_that_is_not_there(two):
    with pytest.raises(UnknownName, match="run7"):
        invoke("run7", "--table", "1")


def test_a_table_needs_no_torch_and_the_help_nothing_at_all(two, runs):
    code = (
        "import sys; from analysis.command import analyze\n"
        f"analyze.main(['run*', '--runs', {str(runs)!r}, '--table', '1'], standalone_mode=False)\n"
        "print(sorted({'torch', 'scipy', 'trainer', 'textual', 'plotext', 'matplotlib'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
