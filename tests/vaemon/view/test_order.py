import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from vaemon.view.order import Order, settle, sort_latents

WOKE = np.array([-1, 300, -1, 100, -1])
VARIANCE = np.array([0.8, 0.05, np.nan, 0.04, 0.6])
KL = np.array([0.1, 1.5, np.nan, 1.2, 0.3])


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        (Order.WAKE, [3, 1, 4, 0, 2]),
        (Order.VARIANCE, [3, 1, 4, 0, 2]),
        (Order.KL, [1, 3, 4, 0, 2]),
        (Order.INDEX, [0, 1, 2, 3, 4]),
    ],
)
def test_orders(order, expected):
    assert sort_latents(order, WOKE, VARIANCE, KL).tolist() == expected


def test_the_awake_do_not_change_places_when_their_variance_does():
    before = sort_latents(Order.WAKE, WOKE, VARIANCE, KL)
    noisy = VARIANCE + np.array([0, 0.2, 0, 0.1, 0])
    assert sort_latents(Order.WAKE, WOKE, noisy, KL).tolist() == before.tolist()


def test_settled_values_let_small_moves_pass():
    held = np.array([0.80, 0.50, np.nan])
    assert settle(held, np.array([0.84, 0.44, 0.7]), 0.05).tolist() == [0.80, 0.44, 0.7]
    assert np.isnan(settle(held, np.array([np.nan, 0.5, np.nan]), 0.05)[0])


def test_held_values_of_another_run_are_forgotten():
    assert settle(np.zeros(3), np.ones(2), 0.5).tolist() == [1.0, 1.0]


@given(arrays(float, 6, elements=st.floats(0, 1)), arrays(float, 6, elements=st.floats(0, 1)), st.floats(0, 0.5))
def test_a_settled_value_is_never_further_off_than_the_slack(held, now, slack):
    settled = settle(held, now, slack)
    assert (np.abs(settled - now) <= slack).all()
    assert (settle(settled, now, slack) == settled).all()


@given(
    st.sampled_from(list(Order)),
    arrays(np.int64, 7, elements=st.integers(-1, 5)),
    arrays(float, 7),
    arrays(float, 7),
)
def test_every_latent_has_one_place(order, woke, variance, kl):
    assert sorted(sort_latents(order, woke, variance, kl).tolist()) == list(range(7))
