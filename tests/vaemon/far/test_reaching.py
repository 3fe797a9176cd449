"""From an address to an agent: what shells say before it, which interpreter it is, and what ssh refuses."""

import os
import shutil
import sys

import pytest


def refused(answer):
    """The one line that is said in place of all else."""
    code, out, err = answer
    assert out == ""
    assert err.count("\n") == 1
    assert err.startswith("vaemon: ")
    return code, err


def noise(count):
    return f'head -c {count} /dev/zero | tr "\\0" x; echo; exec sh -c "$SSH_ORIGINAL_COMMAND"'


def test_what_a_shell_says_first_is_passed_over(far, call):
    far.record("a")
    far.login(command=noise(10_000))
    code, out, err = call("watch", "there:a", "--once")
    assert (code, err) == (0, "")
    assert out.startswith("there:a · finished · ")


def test_a_shell_that_says_too_much_is_refused(far, call):
    far.record("a")
    far.login(command=noise(100_000))
    code, why = refused(call("watch", "there:a", "--once"))
    assert code == 1
    assert "no hello in the first 64 kB; a shell's start-up file may write them" in why


def test_a_start_up_file_that_says_something(far, call):
    import pwd

    if not pwd.getpwuid(os.getuid()).pw_shell.endswith("bash"):
        pytest.skip("the login shell is not bash")
    far.record("a")
    (far.home / ".bashrc").write_text("echo Welcome; echo Mind the step >&2\n")
    code, out, err = call("watch", "there:a", "--once")
    assert code == 0
    assert err in ("", "Mind the step\n")  # which is shown where the hello is long in coming
    assert out.startswith("there:a · finished · ")


def test_the_interpreter_of_the_run_is_found(far, call):
    far.record("a")
    far.login(has_vaemon=False, PYTHONPATH=str(far.repository))
    code, out, err = call("watch", "there:a", "--once")
    assert (code, err) == (0, "")
    # Also where no run is named, by the runs that are there.
    assert call("watch", "there:", "--once")[1] == out


@pytest.mark.parametrize("address", ["there:a", "there:"])
def test_a_machine_without_vaemon(far, call, address):
    far.written_by(far.record("a"), "/nowhere/python")
    far.login(has_vaemon=False)
    code, why = refused(call("watch", address, "--once"))
    assert code == 3
    assert "there has no vaemon" in why
    assert "pip install vaemon" in why


def test_an_interpreter_that_others_could_have_put_there(far, call, monkeypatch):
    run = far.record("a")
    python = far.home / "bin" / "python"
    python.parent.mkdir()
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    far.written_by(run, str(python))
    far.login(has_vaemon=False, PYTHONPATH=str(far.repository))
    assert call("watch", "there:a", "--once")[0] == 0
    python.parent.chmod(0o777)
    code, why = refused(call("watch", "there:a", "--once"))
    assert code == 2
    assert f"recorded by {python}" in why
    assert f"--remote-python {python}" in why
    assert call("watch", "there:a", "--once", "--remote-python", str(python))[0] == 0
    monkeypatch.setenv("VAEMON_REMOTE_PYTHON", str(python))
    assert call("watch", "there:a", "--once")[0] == 0


def test_an_interpreter_asked_for_that_has_no_vaemon(far, call):
    far.record("a")
    code, why = refused(call("watch", "there:a", "--once", "--remote-python", "/no/such/python"))
    assert code == 3
    assert "/no/such/python on there is no Python that has vaemon" in why


@pytest.mark.parametrize(
    ("host", "said"),
    [
        ("stranger", "Permission denied"),
        ("unheard", "Host key verification failed"),
        ("closed", "Connection refused"),
    ],
)
def test_what_ssh_refuses_is_told_in_its_words(far, call, host, said):
    code, why = refused(call("watch", f"{host}:a", "--once"))
    assert code == 1
    assert f"ssh cannot reach {host}: " in why
    assert said in why


def test_a_host_with_another_key_is_refused_with_the_whole_warning(far, call):
    code, out, err = call("watch", "impostor:a", "--once")
    assert (code, out) == (1, "")
    assert "WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!" in err
    assert err.splitlines()[-1].startswith("vaemon: ssh cannot reach impostor: ")
    assert err.endswith("Host key verification failed.\n")


def test_a_host_that_cannot_be_found(far, call, monkeypatch, tmp_path):
    config = tmp_path / "config"
    config.write_text("")
    monkeypatch.setenv("VAEMON_SSH", f"ssh -F {config}")
    code, why = refused(call("watch", "no-such-host.invalid:a", "--once"))
    assert code == 1
    assert "no-such-host.invalid" in why


def test_an_ssh_that_is_not_there(far, call, monkeypatch):
    monkeypatch.setenv("VAEMON_SSH", "/no/such/ssh")
    code, why = refused(call("watch", "there:a", "--once"))
    assert code == 1
    assert "cannot start /no/such/ssh: No such file or directory" in why


def test_the_checks_of_ssh_are_left_as_they_are(far, source_of):
    """Of our own command line: nothing in it says how hosts or keys are checked."""
    from vaemon.source.far.address import Place
    from vaemon.source.far.ssh import FarEnd

    for asks in (True, False):
        command = " ".join(FarEnd(Place("there")).command(asks=asks)[:-1]).lower()
        assert "known" not in command
        assert "stricthost" not in command
        assert ("batchmode=yes" in command) is not asks
    assert shutil.which("ssh")
