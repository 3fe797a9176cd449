"""GPUs, of which there need be none here."""

import pytest

from vaemon import interpreter
from vaemon.commands.doctor import devices

DRIVER = "NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.54.14  Thu Feb 22 01:44:30 UTC 2024\n"
OPEN_DRIVER = "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  570.86.15  Release Build\n"


@pytest.fixture
def machine(monkeypatch, tmp_path):
    """machine(torch, driver, answer) -> what is found on such a machine; torch's answer where it is asked."""

    def examine(torch, driver="", answer=None):
        told = tmp_path / "version"
        told.write_text(driver) if driver else told.unlink(missing_ok=True)
        monkeypatch.setattr(devices, "NVIDIA", told)
        monkeypatch.setattr(devices, "ROCM", tmp_path / "kfd")
        monkeypatch.setattr(devices.shutil, "which", lambda name: None)
        monkeypatch.setattr(devices, "installed", lambda name: torch)
        monkeypatch.setattr(devices, "_ask_torch", lambda: answer)
        (found,) = devices.examine(ask_torch=answer is not None)
        return found

    return examine


@pytest.mark.parametrize(
    ("torch", "driver", "level", "said"),
    [
        ("", "", "ok", "no driver; torch is not installed"),
        ("2.13.0", "", "ok", "trains on the CPU"),
        ("2.13.0", DRIVER, "ok", "NVIDIA driver 550.54.14 · torch 2.13.0"),
        ("2.13.0", OPEN_DRIVER, "ok", "570.86.15"),
        ("2.13.0+cpu", DRIVER, "warning", "built without"),
    ],
)
def test_what_is_told_without_asking_torch(machine, torch, driver, level, said):
    found = machine(torch, driver)
    assert found.level == level
    assert said in found.text


@pytest.mark.parametrize(
    ("driver", "answer", "level", "said"),
    [
        (
            DRIVER,
            {"built_for": "CUDA 12.8", "devices": [{"name": "H200", "memory": 139 * 2**30}]},
            "ok",
            "H200, 139 GiB",
        ),
        (DRIVER, {"built_for": "CUDA 12.8", "devices": []}, "warning", "(built for CUDA 12.8) finds no GPU"),
        ("", {"built_for": "", "devices": []}, "ok", "trains on the CPU"),
        ("", {"error": "libcudart.so: cannot open"}, "failure", "libcudart.so"),
    ],
)
def test_what_torch_answers(machine, driver, answer, level, said):
    found = machine("2.13.0", driver, answer)
    assert found.level == level
    assert said in found.text
    assert bool(found.advice) == (level != "ok")


def test_torch_is_asked_in_a_process_of_its_own_which_may_fail(monkeypatch):
    monkeypatch.setattr(interpreter.sys, "executable", "/bin/false")
    assert devices._ask_torch() == {"error": "exit code 1"}
