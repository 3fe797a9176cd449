import pytest
import torch

from trainer.memory import explained_memory
from vaemon.errors import OutOfMemory


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
