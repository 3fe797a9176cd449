"""Which runs `vaemon watch` opens."""

import pytest

from vaemon.source.open import MOST, await_all


@pytest.fixture
def opened(call):
    """opened(*words) -> the names of the runs that `vaemon watch --once WORDS` prints."""

    def run(*words):
        done = call("watch", "--once", *words)
        assert done.code == 0, done.err
        return [line.split(" · ")[0] for line in done.out.splitlines() if " · stage " in line or " · waiting " in line]

    return run


@pytest.fixture
def three(record):
    """The newest last."""
    record("mnist"), record("cifar-b"), record("cifar-a")


@pytest.mark.parametrize(
    ("words", "names"),
    [
        ("", ["cifar-a"]),
        ("mnist", ["mnist"]),
        ("mnist cifar-a", ["mnist", "cifar-a"]),
        ("cifar*", ["cifar-a", "cifar-b"]),
        ("cifar-[b]", ["cifar-b"]),
        ("mnist mnist latest cifar*", ["mnist", "cifar-a", "cifar-b"]),
        ("mnist tomorrow", ["mnist", "tomorrow"]),
    ],
)
def test_names_and_patterns_each_run_once(opened, three, words, names):
    assert opened(*words.split()) == names


def test_paths_and_patterns_of_paths(opened, three, runs):
    assert opened(runs / "mnist", f"{runs}/cifar*", "mnist") == ["mnist", "cifar-a", "cifar-b"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["z*"], "has a name like 'z*'; `vaemon ls`"),
        (["mnits*"], "did you mean 'mnist'"),
        (["mnist", "cifar-aa"], "did you mean 'cifar-a'"),
        (["mnist", "a:-b"], "begins with '-'"),
        (["./nowhere/*"], "no run at './nowhere/*'"),
        (["mnist", "cifar-a", "--follow"], "one run is followed at a time"),
    ],
)
def test_what_means_no_run_is_answered_in_words(call, three, words, said):
    done = call("watch", *words)
    assert done.code == 2
    assert said in done.err


def test_a_file_among_what_a_shell_puts_for_a_pattern_is_named(call, three, runs):
    (runs / "notes.txt").write_text("x")
    done = call("watch", *sorted(runs.iterdir()))
    assert done.code == 2
    assert "notes.txt is a file" in done.err
    assert call("watch", "--once", f"{runs}/*").code == 0


def test_no_more_runs_than_can_be_seen(call, note):
    for i in range(MOST + 1):
        note(f"run-{i}")
    done = call("watch", "run-*")
    assert done.code == 2
    assert f"{MOST + 1} runs are too many" in done.err
    assert f"at most {MOST}" in done.err


def test_runs_of_one_name_are_told_apart(record, runs, tmp_path):
    folder = record("same")
    other = tmp_path / "elsewhere" / "same"
    other.parent.mkdir()
    folder.rename(other)
    record("same"), record("other")
    names = [name for name, _ in await_all(["same", str(other), "other"])]
    assert names == ["runs/same", "elsewhere/same", "other"]
