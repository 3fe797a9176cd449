import threading

import numpy as np
import pytest
import torch

from trainer import feed, ranks
from trainer.place import Place

CPU = torch.device("cpu")
ROWS = torch.randperm(40, generator=torch.Generator().manual_seed(1)).view(8, 5)


def gatherers():
    return [each for each in threading.enumerate() if each.name.startswith("images")]


def test_images_are_streamed_in_their_order(pixels):
    found = list(feed.streamed(torch.from_numpy(pixels), CPU)(ROWS))
    assert [each.dtype for each in found] == [torch.uint8] * 8
    for batch, rows in zip(found, ROWS, strict=True):
        assert np.array_equal(batch.numpy(), pixels[rows.numpy()])
    assert not gatherers()


def test_images_are_streamed_from_a_file_that_is_mapped(pixels, tmp_path):
    np.save(tmp_path / "a.npy", pixels)
    mapped = np.load(tmp_path / "a.npy", mmap_mode="c")
    found = torch.cat(list(feed.streamed(torch.from_numpy(mapped), CPU)(ROWS)))
    assert np.array_equal(found.numpy(), pixels[ROWS.flatten().numpy()])


@pytest.mark.parametrize("rank", [0, 1])
def test_each_of_several_processes_gathers_its_own_part(pixels, monkeypatch, rank):
    monkeypatch.setattr(ranks, "_here", Place(rank, 2))
    rows = ROWS[:, :4]
    mine = rows[:, 2 * rank : 2 * rank + 2]
    found = torch.stack(list(feed.streamed(torch.from_numpy(pixels), CPU)(rows)))
    assert np.array_equal(found.numpy(), pixels[mine.numpy()])
    assert torch.equal(torch.stack(list(feed.resident(CPU)(rows))), mine)


def test_no_more_is_gathered_ahead_than_said(pixels, monkeypatch):
    gathered, gather = [], feed._gather
    monkeypatch.setattr(feed, "_gather", lambda *given: (gather(*given), gathered.append(1))[0])
    batches = feed.streamed(torch.from_numpy(pixels), CPU)(ROWS)
    for number in range(1, 4):
        next(batches)
        assert number <= len(gathered) <= number + feed.AHEAD
    batches.close()
    assert len(gathered) <= 3 + feed.AHEAD
    assert not gatherers()


def test_a_batch_is_not_overwritten_by_those_after_it(pixels):
    found = [(batch, batch.clone()) for batch in feed.streamed(torch.from_numpy(pixels), CPU)(ROWS)]
    assert all(torch.equal(*pair) for pair in found)


def test_what_goes_wrong_in_the_thread_reaches_the_training(start, tiny, monkeypatch):
    gather, left = feed._gather, [3]

    def fail(*given):
        left[0] -= 1
        if left[0] == 0:
            raise OSError(5, "Input/output error")
        return gather(*given)

    monkeypatch.setattr(feed, "_gather", fail)
    with pytest.raises(OSError, match="Input/output error"):
        start("a", tiny("data.place=host"))
    assert not gatherers()


@pytest.mark.parametrize(
    ("place", "device", "size", "streams"),
    [
        ("auto", "cuda", 500, False),
        ("auto", "cuda", 501, True),
        ("auto", "cpu", 10**15, False),
        ("device", "cuda", 10**15, False),
        ("host", "cuda", 1, True),
        ("host", "cpu", 1, True),
    ],
)
def test_images_are_streamed_where_a_gpu_lacks_the_room(monkeypatch, place, device, size, streams):
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (1000, 4000))
    assert feed.is_streamed(place, size, torch.device(device)) is streams


RESNET = ("network=resnet", "network.base_dim=2", "network.num_scale=2", "network.fc_dim=4")


@pytest.mark.parametrize("network", [(), RESNET], ids=["dense", "resnet"])
def test_streamed_images_train_the_same_network_bit_for_bit(assert_same, start, tiny, runs, screen, network):
    start("there", tiny(*network))
    start("streamed", tiny("data.place=host", *network))
    assert any("GiB of images stay with the host" in said for said in screen.said)
    assert_same(runs / "there", runs / "streamed", but=("config.data.place.",))


def test_a_run_goes_on_either_way(assert_same, start, tiny, runs, after):
    """Stopped within an epoch, streamed, and gone on with where all images are on the device; and the reverse."""
    start("straight", tiny())
    for first, then in (("host", "device"), ("device", "host")):
        assert not start(first, tiny(f"data.place={first}"), stop=after(4))
        assert not gatherers()
        assert start(first, tiny(f"data.place={then}"), resume=True)
        assert_same(runs / "straight", runs / first, but=("config.data.place.",))
