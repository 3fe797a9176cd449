import pytest


@pytest.mark.parametrize("command", ["watch", "ls", "replay"])
@pytest.mark.parametrize(
    ("threshold", "said"),
    [
        ("weak=0.2", "unknown threshold 'weak' (did you mean 'wake'?)"),
        ("0.2", "--threshold takes NAME=VALUE, as in wake=0.25, not '0.2'"),
        ("wake=low", "--threshold wake takes a number, not 'low'"),
    ],
)
def test_a_threshold_that_is_none_is_refused(call, record, command, threshold, said):
    record("r", rows=3)
    done = call(command, "r", "--threshold", threshold)
    assert done.code == 2
    assert said in done.err


def test_thresholds_that_do_not_go_together_are_refused(call, record):
    record("r", rows=3)
    done = call("watch", "r", "--once", "--threshold", "wake=0.6")
    assert done.code == 2
    assert "0 < wake < doze <= 1, not wake=0.6, doze=0.5" in done.err


def test_the_thresholds_in_force_stand_in_the_words(call, record):
    record("r", rows=300)
    done = call("watch", "r", "--once", "--threshold", "inactive=0.7", "--threshold", "unit=0.02")
    assert done.code == 0
    assert "inactive (E[σ²] ≥ 0.7)" in done.out
    assert "active units (Var(μ) > 0.02)" in done.out
