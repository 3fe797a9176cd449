import pytest
from click.shell_completion import ShellComplete

from vaemon.cli import COMMANDS, vaemon


def completed(*words, begun=""):
    return [each.value for each in ShellComplete(vaemon, {}, "vaemon", "_X").get_completions(list(words), begun)]


@pytest.mark.parametrize("command", ["watch", "analyze", "check", "compact", "rm", "mv", "ls"])
def test_runs_are_completed_the_newest_first(note, command):
    note("cifar-a", age=50), note("cifar-b"), note("mnist", age=90)
    assert completed(command, begun="cifar") == ["cifar-b", "cifar-a"]
    assert completed(command, begun="l") == ["latest"]


def test_runs_are_looked_for_where_the_option_says(note, tmp_path):
    note("a")
    assert completed("watch", "--runs", str(tmp_path)) == []
    assert completed("rm", "--runs", str(tmp_path / "runs"), "a") == ["a", "latest"]


def test_commands_are_completed_and_a_wrong_one_is_passed_over_in_silence(runs):
    shown = [name for name, place in COMMANDS.items() if place.help]
    assert completed() == shown == [name for name in COMMANDS if name != "agent"]
    assert completed(begun="w") == ["watch"]
    assert completed("wtch") == shown
