import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import CliRunner
from PIL import Image

from trainer import checkpoint, training
from trainer.catalogue import about, presets
from trainer.command import train
from trainer.settings import load_preset
from vaemon import open_run
from vaemon.batch import RunState
from vaemon.cli import main
from vaemon.errors import DataNotFound, RunExists, UnknownName, UsageError


@pytest.fixture
def invoke(runs, tiny_settings):
    """invoke("shapes", "--run", …) -> click's result; the settings make any preset tiny."""

    def call(*arguments, obj=None, tiny=True):
        given = [*arguments, *(tiny_settings if tiny else [])]
        return CliRunner().invoke(train, given, obj=obj, catch_exceptions=True)

    return call


def test_a_run_is_trained_and_told_in_plain_lines(invoke, runs):
    result = invoke("shapes", "--run", "a")
    assert result.exit_code == 0, result.exception
    assert "run a in " in result.output
    assert "stage 2  step 8/8" in result.output
    assert "`vaemon analyze a --inactive`" in result.output
    with open_run("a", runs) as run:
        assert run.info().state is RunState.FINISHED


def test_a_run_has_a_name_of_its_own_by_default(invoke, runs):
    assert invoke("shapes").exit_code == 0
    (folder,) = runs.iterdir()
    assert folder.name.startswith("shapes-2")


def test_runs_may_live_elsewhere(invoke, tmp_path):
    assert invoke("shapes", "--run", "a", "--runs", str(tmp_path / "else")).exit_code == 0
    assert (tmp_path / "else" / "a" / "checkpoints" / "stage2.pt").exists()


def test_quiet_prints_nothing(invoke):
    assert invoke("shapes", "--run", "a", "--quiet").output == ""


def test_show_prints_a_config_that_loads_back_and_trains_nothing(invoke, runs, tmp_path):
    result = invoke("shapes", "--show", "--set", "seed=11", tiny=False)
    assert not runs.exists()
    file = tmp_path / "mine.toml"
    file.write_text(result.output, encoding="utf-8")
    assert load_preset(str(file)).seed == 11
    comments = [line.partition("  # ")[2] for line in result.output.splitlines()]
    assert {each.partition(", no effect")[0] for each in comments} == {"preset shapes", "default", "--set"}


def test_the_presets_are_listed_with_a_sentence_each(invoke, runs):
    result = invoke("--list", tiny=False)
    assert result.exit_code == 0
    assert [line.split(maxsplit=1) for line in result.output.splitlines()] == [
        [name, about(name)] for name in presets()
    ]
    assert not runs.exists()


def test_a_quick_run_records_what_it_became(invoke, runs):
    assert invoke("shapes", "--quick", "--run", "a").exit_code == 0
    assert invoke("shapes", "--quick", "--run", "b", "--set", "stage1.max_steps=3", tiny=False).exit_code == 0
    with open_run("b", runs) as run:
        config = run.info().config
    assert config["data"]["limit"] == load_preset("shapes", quick=True).data.limit == 2000
    assert config["stage1"]["epochs"] == 50
    shown = invoke("shapes", "--resume", "--run", "b", "--show", "--set", "stage1.max_steps=4", tiny=False).output
    assert {line.partition("  # ")[2].partition(",")[0] for line in shown.splitlines()} == {"run b", "--set"}
    again = invoke("shapes", "--quick", "--resume", "--run", "b", tiny=False)
    assert "--quick is for a new one" in str(again.exception)


def test_a_file_of_ones_own_is_a_preset(invoke, runs, tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text(invoke("shapes", "--show").output, encoding="utf-8")
    assert invoke(str(file), tiny=False).exit_code == 0
    (folder,) = runs.iterdir()
    assert folder.name.startswith("mine-2")
    assert "nothing left to do" in invoke(str(file), "--resume", tiny=False).output


@pytest.mark.parametrize(
    ("arguments", "error", "said"),
    [
        ([], UsageError, "takes a PRESET, as in `vaemon train shapes`; `vaemon train --list`"),
        (["shaeps"], UnknownName, "did you mean 'shapes'"),
        (["shapes", "--set", "stage1.epoch=3"], UnknownName, "did you mean 'stage1.epochs'"),
        (["shapes", "--set", "stage1.epochs=0"], UsageError, "from 1 on, not 0"),
        (["shapes", "--resume", "--run", "none"], UnknownName, "unknown run 'none'"),
        (["mnist-dense"], DataNotFound, "needs --data"),
        (["mnist-dense", "--data", "/nowhere"], DataNotFound, "/nowhere"),
    ],
)
@pytest.mark.parametrize("watch", [False, True], ids=["plain", "watched"])
def test_what_is_wrong_is_said_before_anything_begins(invoke, runs, arguments, error, said, watch):
    def never(*arguments):
        raise AssertionError("the dashboard was opened")

    obj = SimpleNamespace(watch_training=never)
    result = invoke(*arguments, *(["--watch"] if watch else []), obj=obj, tiny=False)
    assert isinstance(result.exception, error)
    assert said in str(result.exception)
    assert not runs.exists()


def test_options_of_reading_are_keys_of_the_config(invoke):
    options = ("--resize", "nearest", "--skip-bad", "--jpeg-roundtrip")
    shown = invoke("cifar10", "--show", *options, tiny=False).output
    for line in ('data.resize = "nearest"', "data.skip_bad = true", "data.jpeg_roundtrip = true"):
        assert line in shown


def test_a_taken_name_is_refused(invoke):
    invoke("shapes", "--run", "a")
    assert isinstance(invoke("shapes", "--run", "a").exception, RunExists)


def test_resume_goes_on_with_the_newest_run_of_the_preset(invoke, runs):
    invoke("shapes", "--run", "a")
    result = invoke("shapes", "--resume", "--set", "stage1.epochs=3", tiny=False)
    assert result.exit_code == 0, result.exception
    assert "stage 1 goes on after step 8 of 12" in result.output
    again = invoke("shapes", "--resume", tiny=False)
    assert again.exit_code == 0
    assert "nothing left to do" in again.output


@pytest.mark.parametrize(
    ("number", "code", "word"),
    [(signal.SIGINT, 130, "Ctrl-C"), (signal.SIGTERM, 143, "SIGTERM"), (signal.SIGHUP, 129, "SIGHUP")],
)
def test_a_signal_stops_cleanly_and_the_run_can_go_on(hangs_up, invoke, runs, monkeypatch, number, code, word):
    log = training.Recorder.log

    def log_and_interrupt(self, step, **values):
        log(self, step, **values)
        if step == 5:
            os.kill(os.getpid(), number)

    handlers = [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)]
    with monkeypatch.context() as patched:
        patched.setattr(training.Recorder, "log", log_and_interrupt)
        result = invoke("shapes", "--run", "a")
    assert [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)] == handlers
    assert result.exit_code == code
    assert "`vaemon train shapes --run a --resume` goes on" in result.output
    with open_run("a", runs) as run:
        assert run.info().state is RunState.STOPPED
        assert run.info().reason == word
        assert run.series("loss", stage=1).step.tolist() == [1, 2, 3, 4, 5]
    assert "stage 1 goes on after step 5 of 8" in invoke("shapes", "--run", "a", "--resume", tiny=False).output


def test_sighup_stays_ignored_where_it_is(invoke, monkeypatch):
    """As under nohup."""
    log = training.Recorder.log

    def log_and_hang_up(self, step, **values):
        log(self, step, **values)
        os.kill(os.getpid(), signal.SIGHUP)

    monkeypatch.setattr(training.Recorder, "log", log_and_hang_up)
    former = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        assert invoke("shapes", "--run", "a").exit_code == 0
        assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, former)


def train_at_a_terminal(talk, terminal, arguments):
    """`vaemon ARGUMENTS` in a session of that terminal, telling its progress at each step."""
    from trainer import progress

    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # ignored, where the tests are started by nohup
    os.setsid()
    descriptor = os.open(terminal, os.O_RDWR)  # the first that a session opens is its own
    for number in (0, 1, 2):
        os.dup2(descriptor, number)
    os.close(descriptor)
    sys.stdout, sys.stderr = (os.fdopen(number, "w", buffering=1, closefd=False) for number in (1, 2))
    progress.LINE_EVERY = 0.0
    sys.argv = ["vaemon", *arguments]
    main()


def test_a_training_whose_terminal_goes_away_is_saved(runs, tiny_settings, forks):
    """As when ssh loses its connection: what is printed then fails."""
    ours, theirs = pty.openpty()
    arguments = ["train", "shapes", "--run", "a", "--runs", runs, *tiny_settings, "--set", "stage1.epochs=100000"]
    child = forks.start(train_at_a_terminal, terminal=os.ttyname(theirs), arguments=arguments)
    said = b""
    while b"mse" not in said:
        said += os.read(ours, 4096)
    os.close(theirs)
    os.close(ours)
    assert child.wait(100) == 129
    with open_run("a", runs) as run:
        assert (run.info().state, run.info().reason) == (RunState.STOPPED, "SIGHUP")
        assert run.series("loss", stage=1).step[-1] == checkpoint.load(runs / "a", 1)["step"]


def test_a_second_ctrl_c_stops_at_once(invoke, runs, monkeypatch):
    def interrupt_twice(self, step, **values):
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(training.Recorder, "log", interrupt_twice)
    assert invoke("shapes", "--run", "a").exit_code == 1  # click's word for KeyboardInterrupt
    with open_run("a", runs) as run:
        assert run.info().state is RunState.STOPPED


def test_watch_hands_the_same_training_to_the_roof(invoke, runs, tmp_path, tiny_settings):
    calls = []
    obj = SimpleNamespace(watch_training=lambda *arguments: calls.append(arguments))
    result = invoke("shapes", "--watch", "--run", "a", "--runs", str(runs), obj=obj)
    assert result.exit_code == 0, result.exception
    ((arguments, name, home),) = calls
    assert (name, home) == ("a", runs)
    assert not runs.exists()
    assert invoke(*arguments, tiny=False).output == ""  # they train the run, quietly
    with open_run("a", runs) as run:
        assert run.info().state is RunState.FINISHED

    invoke("shapes", "--watch", "--quick", "--run", "b", obj=obj, tiny=False)
    assert calls.pop()[0] == ["shapes", "--run", "b", "--quiet", "--quick"]

    invoke("shapes", "--watch", "--resume", "--set", "stage1.epochs=3", obj=obj, tiny=False)
    arguments, name, home = calls[1]
    assert (name, home) == ("a", None)
    assert arguments == ["shapes", "--run", "a", "--quiet", "--set", "stage1.epochs=3", "--resume"]

    invoke("shapes", "--watch", "--run", "c", "--fid", "--features", "pixels", obj=obj, tiny=False)
    assert calls.pop()[0] == ["shapes", "--run", "c", "--quiet", "--features", "pixels", "--fid"]


def test_the_default_name_is_the_same_for_both_processes(invoke):
    calls = []
    invoke("shapes", "--watch", obj=SimpleNamespace(watch_training=lambda *given: calls.append(given)))
    ((arguments, name, _),) = calls
    assert arguments[:3] == ["shapes", "--run", name]


def test_the_command_line_is_read_without_torch_or_numpy():
    code = "import sys, trainer.command; print([m for m in ('torch', 'numpy', 'h5py', 'rich') if m in sys.modules])"
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=root, check=True)
    assert done.stdout.strip() == "[]"


def train_on_pictures_that_take_long(talk, arguments, told, folders):
    """`vaemon ARGUMENTS`, which prints to the file `told`; each handful of pictures takes a twentieth of a second."""
    from trainer.data import gallery

    decode_each = gallery.decode_each

    def slowly(*given):
        for found in decode_each(*given):
            time.sleep(0.05)
            yield found

    gallery.decode_each = slowly
    os.environ.update(folders)
    sys.stdout = os.fdopen(os.open(told, os.O_WRONLY), "w", buffering=1)
    sys.argv = ["vaemon", *arguments]
    main()


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), pytest.param(signal.SIGTERM, 143, marks=pytest.mark.slow)]
)
def test_a_signal_is_acted_on_while_pictures_are_decoded(number, code, tmp_path, forks):
    """Decoded at this pace, they would take longer than a test may."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    for i in range(4_000):
        Image.new("L", (8, 8), i % 256).save(folder / f"{i:04}.png")
    arguments = ["train", "shapes", "--set", "data=folder", "--data", str(folder), "--set", "data.size=0"]
    folders = {"XDG_CACHE_HOME": str(tmp_path / "cache"), "VAEMON_RUNS": str(tmp_path / "runs")}
    told = tmp_path / "told"
    os.mkfifo(told)
    child = forks.start(train_on_pictures_that_take_long, arguments=arguments, told=told, folders=folders)
    with open(told) as lines:
        next(line for line in lines if line.startswith("decoding  "))
        child.kill(number)
        rest = list(lines)
    assert child.wait() == code
    assert rest[-1] == "stopped while the images were read; nothing was recorded\n"
    assert not (tmp_path / "runs").exists()
    assert not list((tmp_path / "cache" / "vaemon").glob("images-*")), "nothing half-written is left"
