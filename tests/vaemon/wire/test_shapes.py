"""An answer whose arrays do not fit each other is refused before anything draws it."""

from dataclasses import replace

import numpy as np
import pytest

from vaemon.batch import Batch, Columns, Cursor, Event, Latest, Listed, RunInfo, RunState, Series, StageInfo
from vaemon.wire.frames import WireError
from vaemon.wire.shapes import check

FIVE, TABLE = np.arange(5.0), np.ones((5, 3))
COUNT = np.arange(5)
COLUMNS = Columns(
    0,
    4,
    step=COUNT,
    time=FIVE,
    epoch=COUNT,
    mean={"mse": FIVE, "z": TABLE},
    low={"mse": FIVE},
    high={"mse": FIVE},
    bad={"mse": COUNT},
    absent={"z": TABLE.astype(int)},
)
INFO = RunInfo("r", "/r", RunState.RUNNING, stages=(StageInfo(1, 3),))
BATCH = Batch(INFO, Cursor(), 1, 20, COLUMNS, Latest(1, 1, 0.0, {}, {"mse": np.array(0.5), "z": np.ones(3)}))
SERIES = Series("z", FIVE, TABLE, TABLE, TABLE, False)
IMAGES = np.zeros((2, 4, 4, 3), np.uint8)


@pytest.mark.parametrize(
    "value",
    [COLUMNS, Columns(), BATCH, replace(BATCH, latest=None), SERIES, IMAGES, IMAGES[..., :1], INFO, (), (Event,)],
    ids=str,
)
def test_what_fits(value):
    check(value)
    check((Listed("r", "/r", 0.0, BATCH), Listed("r", "/r", 0.0)))


BAD_COLUMNS = [
    replace(COLUMNS, width=0),
    replace(COLUMNS, width=3),
    replace(COLUMNS, width=-4),
    replace(COLUMNS, first=-1),
    replace(COLUMNS, step=np.array(1)),
    replace(COLUMNS, step=TABLE, time=TABLE, epoch=TABLE),
    replace(COLUMNS, time=FIVE[:4]),
    replace(COLUMNS, epoch=FIVE[:4]),
    replace(COLUMNS, mean={"mse": FIVE[:4]}),
    replace(COLUMNS, mean={"mse": np.array(0.5)}),
    replace(COLUMNS, mean={"z": TABLE[:, None]}),
    replace(COLUMNS, mean={"z": TABLE.T}),
    replace(COLUMNS, absent={"z": TABLE.T}),
    replace(COLUMNS, absent={"mse": np.array(1)}),
    replace(COLUMNS, step=FIVE),
    replace(COLUMNS, epoch=FIVE),
    replace(COLUMNS, bad={"mse": FIVE}),
    replace(COLUMNS, absent={"z": TABLE}),
    *(replace(COLUMNS, **{part: {"mse": TABLE}}) for part in ("low", "high", "bad")),
]


@pytest.mark.parametrize("columns", BAD_COLUMNS, ids=lambda columns: "")
def test_columns_that_do_not_fit(columns):
    batch = replace(BATCH, columns=columns)
    for value in (columns, batch, (Listed("r", "/r", 0.0, batch),)):
        with pytest.raises(WireError, match="do not fit"):
            check(value)


@pytest.mark.parametrize(
    "value",
    [
        replace(BATCH, latest=replace(BATCH.latest, smoothed={"z": TABLE})),
        replace(BATCH, latest=replace(BATCH.latest, smoothed={"z": np.ones(2)})),
        replace(BATCH, latest=replace(BATCH.latest, smoothed={"mse": np.ones(3)})),
        replace(BATCH, latest=replace(BATCH.latest, smoothed={"mean_variance": np.array(0.5)})),
        replace(BATCH, columns=replace(COLUMNS, mean={"z": TABLE[:, :2]})),
        replace(BATCH, columns=replace(COLUMNS, mean={"mse": TABLE})),
        replace(BATCH, columns=replace(COLUMNS, mean={"mean_variance": FIVE})),
        replace(BATCH, columns=replace(COLUMNS, absent={"z": TABLE[:, :2]})),
        replace(BATCH, stage=2),
        replace(SERIES, step=np.array(1.0)),
        replace(SERIES, low=FIVE[:4]),
        replace(SERIES, high=np.array(1.0)),
        replace(SERIES, mean=TABLE[..., None]),
        IMAGES[0],
        IMAGES[..., :2],
        IMAGES.astype(float),
        np.array(0.5),
    ],
    ids=lambda value: "",
)
def test_other_answers_that_do_not_fit(value):
    with pytest.raises(WireError, match="do not fit"):
        check(value)
