"""Tensors as arrays, by what TensorFlow's types say."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from vaemon.exchange.tensorboard.messages import Event
from vaemon.exchange.tensorboard.tensors import exact, fill, fill_number, to_array


def tensor(**fields):
    made = Event().summary.value.add().tensor
    for name, value in fields.items():
        if name == "shape":
            for size in value:
                made.tensor_shape.dim.add(size=size)
        elif name.endswith("_val"):
            getattr(made, name).extend(value)
        else:
            setattr(made, name, value)
    return made


def again(made):
    return type(made).FromString(made.SerializeToString())


@given(
    npst.arrays(
        st.sampled_from([np.dtype("<f4"), np.dtype("<f8")]), npst.array_shapes(min_dims=1, max_dims=3, min_side=0)
    )
)
def test_arrays_come_back(values):
    made = tensor()
    fill(made, values)
    found = to_array(again(made))
    assert found.dtype == values.dtype
    np.testing.assert_array_equal(found, values)


@given(st.floats(allow_nan=True, allow_infinity=True))
def test_numbers_come_back_exact_and_are_drawn_in_single_precision(value):
    made = tensor()
    fill_number(made, value)
    made = again(made)
    with np.errstate(over="ignore"):
        np.testing.assert_array_equal(to_array(made), np.float32(value))
    beside = exact(made)
    found = float(to_array(made)) if beside is None else beside
    assert found == value or (math.isnan(found) and math.isnan(value))


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"dtype": 1, "shape": (3,), "float_val": [1, 2]}, [1, 2, 2]),
        ({"dtype": 2, "shape": (2, 2), "double_val": [0.1]}, [[0.1, 0.1], [0.1, 0.1]]),
        ({"dtype": 3, "shape": (2,), "int_val": [-1, 7]}, [-1, 7]),
        ({"dtype": 9, "shape": (), "int64_val": [2**40]}, 2**40),
        ({"dtype": 10, "shape": (2,), "bool_val": [True, False]}, [1, 0]),
        ({"dtype": 23, "shape": (1,), "uint64_val": [2**63]}, [2.0**63]),
        ({"dtype": 9, "shape": (2,), "tensor_content": np.array([5, -6], "<i8").tobytes()}, [5, -6]),
        ({"dtype": 19, "shape": (2,), "half_val": [0x3C00, 0xC000]}, [1.0, -2.0]),
        ({"dtype": 14, "shape": (2,), "half_val": [0x3F80, 0xC000]}, [1.0, -2.0]),
        ({"dtype": 14, "shape": (1,), "tensor_content": b"\x80\x3f"}, [1.0]),
    ],
)
def test_every_type_of_number(fields, expected):
    np.testing.assert_array_equal(to_array(again(tensor(**fields))), expected)


@pytest.mark.parametrize(
    "fields",
    [
        {"dtype": 1, "shape": (3,), "tensor_content": b"1234567"},
        {"dtype": 1, "shape": (3,), "tensor_content": bytes(8)},
        {"dtype": 1, "shape": (2,), "float_val": [1, 2, 3]},
        {"dtype": 1, "shape": (2,)},
        {"dtype": 1, "shape": (-1,), "float_val": [1]},
        {"dtype": 1, "shape": (1 << 40,), "float_val": [1]},
        {"dtype": 8, "shape": ()},
    ],
)
def test_what_is_no_array_is_refused(fields):
    with pytest.raises(ValueError, match=r"tensor|buffer"):
        to_array(tensor(**fields))
