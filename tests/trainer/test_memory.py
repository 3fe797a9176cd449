import platform
import resource

import pytest
import torch

from trainer import training
from trainer.memory import explained_memory, keep_freed_memory
from vaemon.errors import OutOfMemory


def faults(talk, kept):
    """The page faults of ten rounds of large tensors, after ten others."""
    if kept:
        keep_freed_memory()
    torch.set_num_threads(1)

    def use():
        for _ in range(10):
            torch.ones(2_000_000)  # 8 MB
            torch.ones(10_000_000)  # 40 MB
        return resource.getrusage(resource.RUSAGE_SELF).ru_minflt

    return -use() + use()


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the C library is not glibc")
def test_freed_memory_is_used_again_without_a_page_fault(forks):
    page = 4096
    kept, given_back = (forks.call(faults, kept=each) for each in (True, False))
    assert kept < 10 * 8_000_000 / page / 10 < given_back


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has …"),
        RuntimeError("CUDA error: out of memory"),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
    ],
)
def test_of_a_device_it_is_told_what_to_lower_and_where_else_to_go(error, tiny):
    with pytest.raises(OutOfMemory) as told, explained_memory(tiny()):
        raise error
    for words in ("the device's memory is full (CUDA ", "--set stage1.batch=5", "second_dim=4", "device=cpu --resume"):
        assert words in str(told.value)


def test_how_much_was_asked_for_is_told(tiny):
    asked = torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has …")
    with (
        pytest.raises(OutOfMemory, match=r"\(CUDA out of memory, Tried to allocate 2.00 GiB\)"),
        explained_memory(tiny()),
    ):
        raise asked
    with pytest.raises(OutOfMemory, match="tried to allocate 1152921504606846976 bytes"), explained_memory(tiny()):
        torch.empty(2**60, dtype=torch.uint8)


def test_of_images_that_do_not_fit_a_device_it_is_told_that_fewer_or_smaller_may(tiny):
    full = torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 3.00 GiB. GPU 0 has …")
    with pytest.raises(OutOfMemory) as told, explained_memory(tiny(), 3 * 2**30):
        raise full
    for words in (
        "3 GiB",
        "all training images",
        "data.place=host",
        "--set data.limit=…",
        "--set data.size=4",
        "--set device=cpu",
    ):
        assert words in str(told.value)
    assert "batch" not in str(told.value)


def test_bringing_images_to_a_device_is_what_asks_for_their_room(tiny, runs, screen, monkeypatch):
    def full(config, images, device, from_host):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 3.00 GiB. GPU 0 has …")

    monkeypatch.setattr(training, "image_stage", full)
    with pytest.raises(OutOfMemory, match="all training images are to lie there"):
        training.train(training.Run("a", runs / "a", "shapes", tiny()), screen, str)
    assert not runs.exists()


def test_of_the_machine_it_is_told_what_to_lower(tiny):
    with pytest.raises(OutOfMemory) as told, explained_memory(tiny("stage2.enabled=false")):
        torch.empty(2**60, dtype=torch.uint8)
    for words in ("this machine's memory is full (", "allocate memory", "--set stage1.batch=5)", "--resume"):
        assert words in str(told.value)
    assert "device=cpu" not in str(told.value)
    assert "second_dim" not in str(told.value)
    with pytest.raises(OutOfMemory, match=r"full \(MemoryError\)"), explained_memory(tiny()):
        raise MemoryError


def test_other_errors_are_not_taken_for_it(tiny):
    with pytest.raises(RuntimeError, match="shapes"), explained_memory(tiny()):
        raise RuntimeError("shapes do not fit")
