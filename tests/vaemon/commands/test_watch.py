"""`vaemon watch` without a screen: processes of their own that read a run while it is recorded here."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading

import pytest

from vaemon import Recorder

DOOMED = """
import os, sys
from vaemon import Recorder
recorder = Recorder("c", latents=2)
for step in range(1, 51):
    recorder.log(step, mean_variance=[0.1, 0.9], mse=1.0 / step)
recorder.flush()
print("ready", flush=True)
sys.stdin.read()
os._exit(1)
"""


class Watcher:
    """`vaemon watch WORDS` in a process without a terminal, whose lines are read as they come."""

    def __init__(self, *words, **environment):
        self.process = subprocess.Popen(
            [sys.executable, "-m", "vaemon", "watch", *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, **environment},
        )
        self.lines = []

    def wait_for(self, wanted):
        """Read until a line fulfils `wanted`; it is returned."""
        for line in self.process.stdout:
            self.lines.append(line)
            if wanted(line):
                return line
        pytest.fail(f"it never came: {self.lines} {self.process.stderr.read()}")

    def end(self):
        """The exit code and what was said to the person."""
        out, err = self.process.communicate(timeout=60)
        self.lines += out.splitlines(keepends=True)
        assert "Traceback" not in err
        return self.process.returncode, err


@pytest.fixture
def watching():
    """watch(*words) -> a Watcher."""
    started = []

    def start(*words, **environment):
        started.append(Watcher(*words, **environment))
        return started[-1]

    yield start
    for each in started:
        if each.process.poll() is None:
            each.process.kill()
        each.process.communicate()


class Live:
    """A run "live" that is recorded in a thread, as far as it is told to."""

    def __init__(self, rows, log_rows):
        self.rows, self.log_rows = rows, log_rows
        self.recorder = Recorder("live", latents=rows.shape[1], total_steps=len(rows), steps_per_epoch=100)
        self.logged = 0

    def go_on(self, rows):
        piece = self.rows[self.logged : self.logged + rows]
        thread = threading.Thread(target=self.log_rows, args=(self.recorder, piece, self.logged + 1))
        thread.start()
        thread.join()
        self.logged += len(piece)
        self.recorder.flush()

    def close(self):
        self.recorder.close()


@pytest.fixture
def live(runs, staircase, log_rows):
    """A run of four latents that wake around steps 100, 200, 300 and 400, recorded as far as it is told to."""
    run = Live(staircase(500, 4), log_rows)
    yield run
    run.close()


def step_of(line):
    return json.loads(line)["step"] or 0


def test_a_live_run_is_followed_as_json_until_it_is_over(live, watching):
    live.go_on(50)
    watcher = watching("live", "--follow", "--json", "--hz", "10")
    watcher.wait_for(lambda line: step_of(line) == 50)
    live.go_on(250)
    seen = json.loads(watcher.wait_for(lambda line: step_of(line) == 300))
    assert (seen["run"], seen["state"], seen["total_steps"], seen["rows"]) == ("live", "running", 500, 300)
    assert seen["counts"]["active"] == 2
    assert [event["latent"] for event in seen["events"] if event["kind"] == "wake"] == [1, 0]
    assert seen["latents"]["state"][:2] == ["active", "active"]
    live.go_on(200)
    live.close()
    assert watcher.end() == (0, "")
    records = [json.loads(line) for line in watcher.lines]
    assert records[-1]["state"] == "finished"
    assert records[-1]["step"] == 500
    told = [(record["state"], record["step"], len(record["events"])) for record in records]
    assert len(set(told)) == len(told)


def test_a_live_run_is_followed_as_text(live, watching):
    live.go_on(50)
    watcher = watching("live", "--plain", "--hz", "10", "--alert", "active>=2")
    watcher.wait_for(lambda line: "step 50/500" in line)
    live.go_on(250)
    watcher.wait_for(lambda line: "alert: active>=2: active 2" in line)
    live.close()
    assert watcher.end() == (0, "")
    text = "".join(watcher.lines)
    assert text.index("z0 woke") < text.index("z1 woke") < text.index("alert: active>=2")
    assert text.count("alert: ") == 1
    assert "\x1b" not in text
    assert watcher.lines[-1].startswith("live · finished · ")


@pytest.mark.parametrize("how", [(), ("--once",), ("--json",), ("--follow",)])
def test_a_condition_is_waited_for(live, watching, how):
    live.go_on(50)
    watcher = watching("live", *how, "--until", "active>=2 and step>=300", "--hz", "10", "--timeout", "60")
    live.go_on(250)
    assert watcher.end() == (0, "")
    assert "300" in watcher.lines[0] or how == ("--follow",)
    assert live.logged == 300


def test_a_run_that_ends_before_the_condition_is_met(record, call):
    record("r", rows=10)
    assert call("watch", "r", "--until", "step>=11", "--once").code == 4
    assert call("watch", "r", "--until", "step>=10", "--once").code == 0
    assert call("watch", "r", "--until", "finished").code == 0
    assert call("watch", "r", "--follow", "--until", "crashed").code == 4


def test_a_time_that_is_up(call):
    done = call("watch", "nowhere", "--until", "finished", "--timeout", "0")
    assert done.code == 4
    assert done.out.startswith("nowhere · waiting · ")


def test_a_recorder_that_dies_while_followed(runs, watching):
    child = subprocess.Popen([sys.executable, "-c", DOOMED], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert child.stdout.readline() == b"ready\n"
    watcher = watching("c", "--follow", "--hz", "10", "--until", "finished")
    patient = watching("c", "--follow", "--hz", "10", "--until", "crashed")
    for each in (watcher, patient):
        each.wait_for(lambda line: "step 50" in line)
    child.kill()
    child.wait()
    child.stdin.close()
    child.stdout.close()
    assert watcher.end()[0] == 4
    assert patient.end()[0] == 0
    assert watcher.lines[-1].startswith("c · crashed · ")
    assert "gone without a word" in watcher.lines[-1]


def test_a_run_that_disappears_while_followed(record, runs, watching, writer):
    watcher = watching("held", "--follow", "--hz", "10")
    watcher.wait_for(lambda line: "step 1" in line)
    shutil.move(runs / "held", runs / "elsewhere")
    code, said = watcher.end()
    assert code == 1
    assert said.startswith("vaemon: held has not answered for 5 s: ")
    assert "was it moved, or removed?" in said
    assert "link lost" in watcher.lines[-1]


def test_ctrl_c_and_a_reader_that_goes_away(writer, watching):
    watcher = watching("held", "--follow", "--hz", "10")
    watcher.wait_for(lambda line: "step 1" in line)
    watcher.process.send_signal(signal.SIGINT)
    assert watcher.end() == (130, "\nvaemon: stopped\n")


def test_a_reader_that_goes_away_while_it_is_followed(live):
    live.go_on(10)
    words = f"{sys.executable} -m vaemon watch live --follow --json --hz 10 | head -n 1 | cut -c 1-14"
    shell = subprocess.Popen(["bash", "-c", words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert shell.stdout.readline() == '{"run": "live"\n'
    live.go_on(10)
    live.close()
    assert shell.communicate(timeout=60) == ("", "")


@pytest.mark.parametrize("how", [("--once",), ("--follow",)])
def test_values_that_are_not_finite_are_told(runs, call, how):
    with Recorder("bad", latents=1) as recorder:
        recorder.log(1, mean_variance=[float("nan")], mse=float("inf"), own=float("nan"))
    assert "mse NaN" in call("watch", "bad", *how).out
    told = json.loads(call("watch", "bad", "--json").out, parse_constant=pytest.fail)
    assert told["scalars"]["mse"] == {"newest": "Infinity", "smoothed": "NaN"}
    assert told["scalars"]["own"]["newest"] == "NaN"
    assert told["latents"]["variance"] == ["NaN"]
    assert call("watch", "bad", *how, "--alert", "nan", "--exit-on-alert").code == 4


@pytest.mark.parametrize(
    "environment",
    [{"PYTHONIOENCODING": "ascii"}, {"PYTHONIOENCODING": "latin-1"}, {"LC_ALL": "POSIX", "PYTHONUTF8": "0"}],
)
@pytest.mark.parametrize("how", [("--once",), ("--follow",), ("--json",)])
def test_where_there_is_no_unicode_the_stand_ins_are_written(record, watching, environment, how):
    record("größe")
    watcher = watching("größe", *how, **environment)
    assert watcher.end() == (0, "")
    text = "".join(watcher.lines)
    assert text.isascii()
    assert "gr??e . finished . stage 1" in text or how == ("--json",)


def test_ascii_may_be_asked_for(record, call):
    record("r")
    assert "r . finished . " in call("watch", "r", "--ascii").out
    assert "E[s2]" in call("watch", "r", "--ascii").out


def test_an_alert_leaves_with_a_code_of_its_own(record, call):
    record("r", rows=10)
    done = call("watch", "r", "--alert", "mse<0.5", "--exit-on-alert")
    assert done.code == 4
    assert "alert: mse<0.5: mse 0." in done.out
    assert call("watch", "r", "--alert", "mse<0.001", "--exit-on-alert").code == 0


def test_what_fails_in_the_telling_of_an_alert_is_said(record, call):
    record("r")
    done = call("watch", "r", "--alert", "finished", "--run-on-alert", "/no/such/command")
    assert done.code == 0
    assert "vaemon: --run-on-alert failed: " in done.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--once", "--follow"], "contradict"),
        (["--until", "active>="], "--until 'active>='"),
        (["--until", "mze<1"], "did you mean 'mse'"),
        (["--follow", "--alert", "mze<1"], "did you mean 'mse'"),
        (["--alert", "wke"], "did you mean 'wake'"),
        (["--until", ""], "a comparison is missing"),
        (["--timeout", "0"], "--timeout needs something to wait for"),
        (["--bell"], "--bell does nothing without an alert"),
        (["--exit-on-alert"], "--exit-on-alert does nothing without an alert"),
        (["--timeout", "3"], "--timeout needs something to wait for"),
        (["--timeout", "-3", "--until", "finished"], "--timeout"),
        (["--alert", "nan", "--webhook", "example.org"], "--webhook"),
        (["--alert", "nan", "--run-on-alert", "'"], "--run-on-alert"),
        (["--hz", "100"], "--hz"),
    ],
)
def test_a_wrong_word_is_answered_in_words(record, call, words, said):
    record("r")
    done = call("watch", "r", *words)
    assert done.code == 2
    assert said in done.err
