import pytest
import torch

from trainer import precision


@pytest.mark.parametrize(
    ("flags", "slow"), [("fpu avx512f", True), ("avx512f avx512_bf16", False), ("amx_bf16", False), (None, False)]
)
def test_a_processor_without_bfloat16_is_known(tmp_path, monkeypatch, flags, slow):
    file = tmp_path / "cpuinfo"
    if flags is not None:
        file.write_text(f"processor : 0\nflags : {flags}\n")
    monkeypatch.setattr(precision, "_CPU", file)
    assert precision.emulates_bfloat16(torch.device("cpu")) is slow
    assert not precision.emulates_bfloat16(torch.device("cuda"))


@pytest.mark.parametrize(("wanted", "told"), [("float32", 0), ("bfloat16", 1)])
def test_a_training_that_would_be_slow_says_so(tiny, runs, screen, tmp_path, monkeypatch, wanted, told):
    from trainer.runs import Run
    from trainer.training import train

    file = tmp_path / "cpuinfo"
    file.write_text("flags : fpu\n")
    monkeypatch.setattr(precision, "_CPU", file)
    config = tiny(f"precision={wanted}", "stage1.epochs=1", "stage2.enabled=false")
    assert train(Run("a", runs / "a", "shapes", config), screen, str)
    assert sum("precision=float32" in said for said in screen.said) == told
