import os
from pathlib import Path

import numpy as np
import pytest
import torch

from trainer import checkpoint
from trainer.networks.vae import images_to_input
from vaemon.errors import RunFileError, UsageError


@pytest.fixture
def saved(tmp_path, tiny, tiny_stage):
    """A stage in whose folder a checkpoint lies."""
    stage = tiny_stage()
    stage.step = 5
    checkpoint.save(tmp_path, 1, stage.state_dict(), tiny(), (8, 8, 3))
    return stage


def test_a_checkpoint_comes_back_as_it_was(saved, tmp_path, tiny_stage):
    found = checkpoint.load(tmp_path, 1)
    other = tiny_stage("seed=9")
    other.load_state_dict(found)
    assert other.step == 5
    for mine, theirs in zip(other.network.parameters(), saved.network.parameters(), strict=True):
        assert torch.equal(mine, theirs)
    assert torch.equal(other.noise.get_state(), saved.noise.get_state())


def test_restored_vae_encodes_as_the_trained_one(saved, tmp_path, tiny, pixels):
    restored = checkpoint.restore_vae(tmp_path)
    assert (restored.step, restored.epoch, restored.shape, restored.config) == (5, 1, (8, 8, 3), tiny())
    assert not restored.model.training
    x = images_to_input(torch.from_numpy(pixels))
    torch.testing.assert_close(restored.model.encode(x), saved.network.eval().encode(x))


def test_nothing_is_left_beside_the_checkpoint(saved, tmp_path):
    assert [each.name for each in (tmp_path / "checkpoints").iterdir()] == ["stage1.pt"]


def test_a_failed_write_keeps_the_checkpoint_before(saved, tmp_path, tiny, monkeypatch):
    def fail(content, file):
        file.write(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(torch, "save", fail)
    with pytest.raises(RunFileError, match=r"cannot write the checkpoint .*No space left"):
        checkpoint.save(tmp_path, 1, saved.state_dict(), tiny(), (8, 8, 3))
    monkeypatch.undo()
    assert checkpoint.load(tmp_path, 1)["step"] == 5
    assert [each.name for each in (tmp_path / "checkpoints").iterdir()] == ["stage1.pt"]


@pytest.fixture
def on_disk(monkeypatch):
    """What was done for a power cut, in order: ("synced", inode, its size then), ("renamed", inode, new name)."""
    asked, fsync, replace = [], os.fsync, os.replace

    def synced(descriptor):
        status = os.fstat(descriptor)
        asked.append(("synced", status.st_ino, status.st_size))
        fsync(descriptor)

    def renamed(source, target):
        asked.append(("renamed", os.stat(source).st_ino, Path(target).name))
        replace(source, target)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(os, "replace", renamed)
    return asked


def test_a_checkpoint_is_on_the_disk_before_it_has_its_name_and_its_name_before_it_is_relied_on(
    tmp_path, tiny, tiny_stage, on_disk
):
    path = checkpoint.save(tmp_path, 1, tiny_stage().state_dict(), tiny(), (8, 8, 3))
    file, folder = path.stat(), path.parent.stat()
    (first, *whole), renamed, (last, where, _) = on_disk
    assert (first, whole) == ("synced", [file.st_ino, file.st_size])
    assert renamed == ("renamed", file.st_ino, "stage1.pt")
    assert (last, where) == ("synced", folder.st_ino)


@pytest.mark.parametrize("copied", [False, True])
def test_so_is_the_best(saved, tmp_path, on_disk, monkeypatch, copied):
    def refuse(*names):
        raise OSError(1, "Operation not permitted")  # as a file system says that gives no second name

    if copied:
        monkeypatch.setattr(os, "link", refuse)
    checkpoint.keep_best(tmp_path, 1)
    best = checkpoint.path_of(tmp_path, 1, best=True)
    *synced, renamed, (last, where, _) = on_disk
    if copied:
        assert synced == [("synced", best.stat().st_ino, best.stat().st_size)]
    assert renamed == ("renamed", best.stat().st_ino, "stage1-best.pt")
    assert (last, where) == ("synced", best.parent.stat().st_ino)


def test_no_checkpoint_is_none_to_load_and_an_error_to_restore(tmp_path):
    assert checkpoint.load(tmp_path, 1) is None
    with pytest.raises(UsageError, match="has no checkpoint of stage 2"):
        checkpoint.restore_vae(tmp_path, stage=2)


@pytest.mark.parametrize("damage", [b"", b"no checkpoint at all", None], ids=["empty", "text", "cut"])
def test_a_damaged_checkpoint_is_said(saved, tmp_path, damage):
    path = checkpoint.path_of(tmp_path, 1)
    path.write_bytes(path.read_bytes()[:-500] if damage is None else damage)
    with pytest.raises(RunFileError, match=r"the checkpoint .*stage1.pt cannot be read"):
        checkpoint.load(tmp_path, 1)


def test_one_wrong_bit_is_found_wherever_it_is(saved, tmp_path):
    """It is refused, or lies where nothing is kept; of the weights, the part that is damaged is named."""
    path = checkpoint.path_of(tmp_path, 1)
    good, content = path.read_bytes(), flat(checkpoint.load(tmp_path, 1))
    bits = np.random.default_rng(0).integers(0, 8 * len(good), 300)
    damaged = 0
    for bit in bits:
        bad = bytearray(good)
        bad[bit // 8] ^= 1 << bit % 8
        path.write_bytes(bad)
        try:
            found = flat(checkpoint.load(tmp_path, 1))
        except RunFileError as error:
            damaged += f"{path} cannot be read (its part" in str(error)
        else:
            assert all(torch.equal(*pair) for pair in zip(found, content, strict=True)), f"bit {bit}"
    assert damaged > 150


def flat(content):
    """All tensors of a checkpoint, in order."""
    if isinstance(content, dict):
        content = list(content.values())
    if isinstance(content, list | tuple):
        return [tensor for each in content for tensor in flat(each)]
    return [content] if isinstance(content, torch.Tensor) else []


def test_a_file_that_would_run_code_is_refused(tmp_path):
    path = checkpoint.path_of(tmp_path, 1)
    path.parent.mkdir()
    torch.save({"format": checkpoint.FORMAT, "stage": 1, "evil": print}, path)
    with pytest.raises(RunFileError, match="UnpicklingError"):
        checkpoint.load(tmp_path, 1)


@pytest.mark.parametrize(
    "content", [{"format": 99, "stage": 1}, {"format": checkpoint.FORMAT, "stage": 2}, {"weights": 3}, [1, 2], None]
)
def test_something_else_that_torch_saved_is_refused(tmp_path, content):
    path = checkpoint.path_of(tmp_path, 1)
    path.parent.mkdir()
    torch.save(content, path)
    with pytest.raises(RunFileError, match=r"stage1.pt is no checkpoint of stage 1 in format .* or begin a new run"):
        checkpoint.load(tmp_path, 1)


def change(path, how):
    content = torch.load(path, weights_only=True)
    how(content)
    torch.save(content, path)


@pytest.mark.parametrize("key", ["config", "shape", "step", "epoch", "steps_per_epoch", "network"])
def test_a_checkpoint_that_lacks_something_says_what(saved, tmp_path, key):
    change(checkpoint.path_of(tmp_path, 1), lambda content: content.pop(key))
    with pytest.raises(RunFileError, match=rf"stage1.pt does not fit its own config \(lacks '{key}'\).* begin a new"):
        checkpoint.load(tmp_path, 1)


def test_a_checkpoint_with_other_layers_is_said_when_restored(saved, tmp_path):
    change(checkpoint.path_of(tmp_path, 1), lambda content: content["network"].popitem())
    with pytest.raises(RunFileError, match=r"stage1.pt does not fit its own config \(Error.* Missing key"):
        checkpoint.restore_vae(tmp_path)


def test_a_checkpoint_with_a_config_of_another_vaemon_is_said_when_restored(saved, tmp_path):
    change(checkpoint.path_of(tmp_path, 1), lambda content: content["config"]["stage1"].update(warp=9))
    with pytest.raises(RunFileError, match=r"stage1.pt keeps a config .*'stage1.warp'.* use the vaemon that made"):
        checkpoint.restore_vae(tmp_path)


def test_an_unreadable_second_stage_may_be_removed(tmp_path):
    path = checkpoint.path_of(tmp_path, 2)
    path.parent.mkdir()
    path.write_bytes(b"no checkpoint at all")
    with pytest.raises(
        RunFileError, match=r"stage2.pt cannot be read .* remove the file: --resume then trains stage 2"
    ):
        checkpoint.load(tmp_path, 2)


def test_a_dropped_checkpoint_is_gone(saved, tmp_path):
    checkpoint.drop(tmp_path, 1)
    checkpoint.drop(tmp_path, 1)
    assert checkpoint.load(tmp_path, 1) is None
