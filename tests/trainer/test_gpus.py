import json
import subprocess
import sys

import torch

from trainer import gpus


def test_what_torch_finds_is_told_as_json():
    done = subprocess.run([sys.executable, "-m", "trainer.gpus"], capture_output=True, text=True, check=True)
    told = json.loads(done.stdout)
    assert told == gpus.found()
    assert len(told["devices"]) >= torch.cuda.device_count()
