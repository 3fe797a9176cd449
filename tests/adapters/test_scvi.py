"""The callback in a real training of scvi-tools."""

import numpy as np


def test_the_example(example, assert_is_whole):
    run = example("scvi")
    assert_is_whole(run, 60, 8)
    info = run.info()
    assert info.config["library"] == "scvi-tools"
    assert info.stages[0].steps_per_epoch == 6
    weight = run.series("kl_weight").mean
    assert weight[0] == 0
    assert (np.diff(weight) >= 0).all()
    assert np.isfinite(run.series("loss").mean).all()
    told = [each.values for each in run.evaluations()]
    assert len([values for values in told if "elbo_train" in values]) == 10
    assert all(np.isfinite(value) for values in told for value in values.values())
