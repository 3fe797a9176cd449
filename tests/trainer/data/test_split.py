import numpy as np
import pytest

from trainer.data.split import TEST, TRAIN, first, hold_out, stream
from vaemon.errors import DataNotFound


def _numbered(count):
    return np.arange(count, dtype=np.uint8).reshape(count, 1, 1, 1)


def test_a_tenth_is_held_out_and_nothing_is_lost():
    train, test = hold_out(_numbered(200), 5, "here")
    assert (len(train), len(test)) == (180, 20)
    assert sorted([*train.ravel(), *test.ravel()]) == list(range(200))
    assert list(train.ravel()) == sorted(train.ravel()), "order is kept"


def test_the_split_follows_the_seed_alone():
    same, again, other = (hold_out(_numbered(200), seed, "here")[1].ravel() for seed in (1, 1, 2))
    assert np.array_equal(same, again)
    assert not np.array_equal(same, other)


@pytest.mark.parametrize(("count", "held"), [(2, 1), (5, 1), (14, 1), (26, 3)])
def test_at_least_one_is_held_out(count, held):
    assert len(hold_out(_numbered(count), 0, "here")[1]) == held


def test_one_image_cannot_be_split():
    with pytest.raises(DataNotFound, match="here holds 1 image; at least 2"):
        hold_out(_numbered(1), 0, "here")


def test_a_smaller_limit_is_the_beginning_of_a_larger():
    ten, forty = (first(_numbered(100), limit, 3, TRAIN).ravel() for limit in (10, 40))
    assert np.array_equal(ten, forty[:10])
    assert list(forty) != sorted(forty), "shuffled, for data often stand sorted by class"
    assert len(set(forty.tolist())) == 40


@pytest.mark.parametrize("limit", [None, 100, 101])
def test_a_limit_beyond_the_images_changes_nothing(limit):
    assert np.array_equal(first(_numbered(100), limit, 3, TRAIN), _numbered(100))


def test_purposes_and_seeds_have_streams_of_their_own():
    drawn = {stream(seed, purpose).integers(2**60) for seed in (-1, 0, 1, 2**40) for purpose in (TRAIN, TEST)}
    assert len(drawn) == 8
