"""What shells complete: asked of the program, and by shells at their own prompt."""

import os
import shutil
import subprocess
import sys

import pytest
from click.shell_completion import ShellComplete

from trainer.catalogue import presets
from vaemon.cli import COMMANDS, vaemon
from vaemon.commands.completion import SHELLS


def found(*words, begun=""):
    return ShellComplete(vaemon, {}, "vaemon", "_X").get_completions(list(words), begun)


def completed(*words, begun=""):
    return [each.value for each in found(*words, begun=begun)]


@pytest.mark.parametrize(
    "command", ["watch", "replay", "export", "analyze", "sample", "check", "compact", "rm", "mv", "ls"]
)
def test_runs_are_completed_the_newest_first(note, command):
    note("cifar-a", age=50), note("cifar-b"), note("mnist", age=90)
    assert completed(command, begun="cifar") == ["cifar-b", "cifar-a"]
    assert completed(command, begun="l") == ["latest"]


def test_runs_are_looked_for_where_the_option_says(note, tmp_path):
    note("a")
    assert completed("watch", "--runs", str(tmp_path)) == []
    assert completed("rm", "--runs", str(tmp_path / "runs"), "a") == ["a", "latest"]


def test_a_run_that_goes_on_is_completed(note):
    note("cifar-a"), note("mnist", age=5)
    assert completed("train", "cifar10", "--resume", "--run") == ["cifar-a", "mnist"]


@pytest.mark.parametrize("command", ["train", "sweep"])
def test_presets_are_completed_and_files_where_there_is_no_such(runs, command):
    assert completed(command, begun="celeba-1") == ["celeba-1", "celeba-1-learned-gamma"]
    assert completed(command) == presets()
    assert [each.type for each in found(command, begun="./mine")] == ["file"]


@pytest.mark.parametrize(
    ("words", "begun", "kind"),
    [
        (["watch"], "runs/", "dir"),
        (["watch", "--runs"], "", "dir"),
        (["doctor", "--runs"], "", "dir"),
        (["train", "shapes", "--data"], "", "file"),
        (["export", "a", "--out"], "", "file"),
    ],
)
def test_paths_are_left_to_the_shell(runs, words, begun, kind):
    assert [(each.type, each.value) for each in found(*words, begun=begun)] == [(kind, begun)]


def test_commands_are_completed_and_a_wrong_one_is_passed_over_in_silence(runs):
    shown = [name for name, place in COMMANDS.items() if place.help]
    assert completed() == shown == [name for name in COMMANDS if name != "agent"]
    assert completed(begun="w") == ["watch"]
    assert completed("wtch") == shown


def test_choices_and_options_are_completed(runs):
    assert completed("completion") == list(SHELLS)
    assert completed("watch", begun="--fol") == ["--follow"]


@pytest.mark.parametrize("command", ["watch", "ls", "export", "check", "train", "sweep", "analyze", "sample", "fid"])
def test_completing_loads_nothing_heavy(runs, command):
    code = (
        "import sys; sys.argv = ['vaemon']\nfrom vaemon.cli import main\ntry: main()\nexcept SystemExit: pass\n"
        "print(*{'numpy', 'h5py', 'torch', 'textual', 'rich', 'scipy'} & set(sys.modules), sep=',', file=sys.stderr)"
    )
    asked = {"_VAEMON_COMPLETE": "bash_complete", "COMP_WORDS": f"vaemon\n{command}\n", "COMP_CWORD": "2"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env={**os.environ, **asked})
    assert done.stderr == "\n"


@pytest.fixture
def path(note, tmp_path):
    """A $PATH with `vaemon`; there are two runs."""
    note("shapes-1"), note("cifar-a", age=5)
    program = tmp_path / "bin" / "vaemon"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m vaemon "$@"\n')
    program.chmod(0o755)
    return f"{program.parent}:{os.environ['PATH']}"


def needed(shell):
    return pytest.mark.skipif(shutil.which(shell) is None, reason=f"{shell} is not installed")


SCRIPTS = {
    "bash": (("--norc", "--noprofile", "-i"), 'eval "$(vaemon completion)"'),
    "zsh": (("-f", "-i"), 'autoload -U compinit; compinit -u -D; eval "$(vaemon completion zsh)"'),
}


@pytest.mark.parametrize("shell", [pytest.param(each, marks=needed(each)) for each in SCRIPTS])
@pytest.mark.parametrize(
    ("typed", "becomes"),
    [
        ("vaemon wat", "vaemon watch"),
        ("vaemon watch shap", "vaemon watch shapes-1"),
        ("vaemon export cif", "vaemon export cifar-a"),
        ("vaemon train fash", "vaemon train fashion"),
        ("vaemon watch --runs bi", "vaemon watch --runs bin"),
    ],
)
def test_a_shell_completes_at_its_prompt(path, terminal_of, tmp_path, shell, typed, becomes):
    options, script = SCRIPTS[shell]
    environment = {"PATH": path, "HOME": str(tmp_path), "SHELL": f"/bin/{shell}", "TERM": "xterm"}
    opened = terminal_of(*options, command=(shell,), environment=environment)
    opened.type(f"cd '{tmp_path}'; {script}; echo re''ady\n".encode())
    opened.wait_for("ready")
    # Keys are taken one after the other: complete, then make an `echo` of all that stands there.
    opened.type(f"{typed}\t\x01echo '<\x05>'\n".encode())
    opened.wait_for(f"<{becomes}")


@needed("fish")
@pytest.mark.parametrize(
    ("line", "offered"), [("vaemon watch ", ["shapes-1", "cifar-a", "latest"]), ("vaemon train fash", ["fashion"])]
)
def test_fish_completes(path, tmp_path, line, offered):
    script = f"vaemon completion fish | source; complete -C '{line}'"
    environment = {**os.environ, "PATH": path, "HOME": str(tmp_path)}
    done = subprocess.run(["fish", "--no-config", "-c", script], capture_output=True, text=True, env=environment)
    assert sorted(done.stdout.split()) == sorted(offered)


def test_the_shell_must_be_known(call, monkeypatch):
    monkeypatch.setenv("SHELL", "/bin/tcsh")
    done = call("completion")
    assert done.code == 2
    assert done.err == "vaemon: which shell? $SHELL is tcsh; say one of bash, zsh, fish\n"
