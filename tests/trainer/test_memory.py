import platform
import subprocess
import sys

import pytest

FAULTS = """
import resource, sys, torch
from trainer.memory import keep_freed_memory
if sys.argv[1] == "kept":
    keep_freed_memory()
torch.set_num_threads(1)
def use():
    torch.ones(2_000_000)  # 8 MB
    torch.ones(10_000_000)  # 40 MB
for _ in range(10):
    use()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(10):
    use()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(how: str) -> int:
    found = subprocess.run([sys.executable, "-c", FAULTS, how], capture_output=True, text=True, check=True)
    return int(found.stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the C library is not glibc")
def test_freed_memory_is_used_again_without_a_page_fault():
    page = 4096
    assert faults("kept") < 10 * 8_000_000 / page / 10 < faults("given back")
