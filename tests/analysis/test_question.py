"""One question to one report: which parts are there, why others are not, what is noted."""

import sys
from types import SimpleNamespace

import numpy as np
import pytest

from analysis.question import Question, answer
from vaemon import Recorder, Thresholds
from vaemon.errors import DataNotFound, RunFileError, SourceLost, UnknownName, UsageError, VaemonError
from vaemon.source.open import open_source


@pytest.fixture
def run(make_source, tmp_path):
    """A source whose run lies in a folder with checkpoints."""
    (tmp_path / "checkpoints").mkdir()
    return make_source(100, 50, address=str(tmp_path))


@pytest.fixture
def encoded(monkeypatch, make_posterior):
    """Put a Checkpoint in the place of torch and the trainer; what it was asked is in .asked."""

    def put(result=None, restore_error=None):
        asked = []

        class Checkpoint:
            def __init__(self, folder, stage):
                asked.append((folder, stage))
                if restore_error:
                    raise restore_error

            def encode_test_set(self, data, told, epsilon):
                asked.append(data)
                told(1, 1)
                if isinstance(result, Exception):
                    raise result
                return make_posterior("checkpoint", [0.85, 0.1]) if result is None else result

        monkeypatch.setitem(sys.modules, "analysis.encode", SimpleNamespace(Checkpoint=Checkpoint))
        return asked

    return put


def test_both_parts(run, encoded, tmp_path):
    asked = encoded()
    told = []
    report = answer(run, Question(), lambda *progress: told.append(progress))
    assert asked == [(tmp_path, 1), None]
    assert told == [(1, 1)]
    assert report.stream is not None
    assert report.checkpoint is not None
    assert report.parts == (report.stream, report.checkpoint)
    assert (report.run, report.state, report.stage, report.latents) == ("run", "finished", 1, 2)
    assert report.missing == {}
    assert report.notes == ()
    assert report.checkpoint.inactive.tolist() == [True, False]


def test_without_the_checkpoint_torch_is_not_asked_for(run, monkeypatch):
    monkeypatch.setitem(sys.modules, "analysis.encode", None)
    report = answer(run, Question(checkpoint=False))
    assert report.checkpoint is None
    assert report.missing == {}


REASONS = [
    ("no checkpoint of the stage", UsageError("has no checkpoint of stage 1"), None, "has no checkpoint of stage 1"),
    ("damaged", RunFileError("cannot be read"), None, "cannot be read"),
    ("no images", None, DataNotFound("looked for images in /gone"), "looked for images in /gone"),
]


@pytest.mark.parametrize(
    ("restore_error", "result", "reason"), [pytest.param(*case[1:], id=case[0]) for case in REASONS]
)
def test_why_the_checkpoint_is_missing(run, encoded, restore_error, result, reason):
    encoded(result, restore_error)
    report = answer(run, Question())
    assert report.stream is not None
    assert report.missing == {"checkpoint": reason}


def test_images_named_by_the_user_must_be_there(run, encoded, tmp_path):
    asked = encoded(DataNotFound("looked for images in /typo"))
    with pytest.raises(DataNotFound, match="/typo"):
        answer(run, Question(data=tmp_path))
    assert asked[-1] == tmp_path


@pytest.mark.parametrize("package", ["torch", "msgspec"])
def test_a_package_that_is_not_installed_is_named(run, monkeypatch, package):
    for name in [name for name in sys.modules if name.partition(".")[0] in (package, "trainer")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delitem(sys.modules, "analysis.encode", raising=False)
    monkeypatch.setitem(sys.modules, package, None)
    report = answer(run, Question())
    assert report.missing == {"checkpoint": f"{package} is not installed; pip install 'vaemon[train]'"}


def test_a_run_of_other_hands_has_no_checkpoint(make_source, tmp_path):
    report = answer(make_source(100, 50, address=str(tmp_path)), Question())
    assert report.missing == {"checkpoint": "the run has none; `vaemon train` saves one"}
    report = answer(make_source(100, 50, address="gpu-box:run42"), Question())
    assert report.missing == {"checkpoint": "the run lies on another machine; analyze it there"}


def test_a_checkpoint_alone(run, encoded):
    encoded()
    run.channels = {}
    report = answer(run, Question())
    assert report.stream is None
    assert "did not record its posteriors" in report.missing["stream"]
    assert report.parts == (report.checkpoint,)


def test_nothing_at_all(make_source):
    with pytest.raises(VaemonError, match=r"nothing to analyze in run 'run'.*posteriors.*another machine"):
        answer(make_source(10, None, channels={}), Question())


def test_a_lost_source_is_no_missing_part(run, encoded, monkeypatch):
    encoded()

    def lost(*_, **__):
        raise SourceLost("the disk is gone")

    monkeypatch.setattr(type(run), "series", lost)
    with pytest.raises(SourceLost, match="the disk is gone"):
        answer(run, Question())


def test_a_stage_that_has_not_begun(run):
    with pytest.raises(UnknownName, match="unknown stage '2'"):
        answer(run, Question(stage=2))


def test_wakes_after_the_checkpoint_are_not_its_own(make_source, encoded, wake, tmp_path, make_posterior):
    from analysis.inputs import Origin

    (tmp_path / "checkpoints").mkdir()
    source = make_source(100, 50, address=str(tmp_path), events=(wake(0, 30), wake(1, 80)))
    encoded(make_posterior("checkpoint", [0.4, 0.4], origin=Origin("checkpoint", step=50, epoch=1, samples=9)))
    report = answer(source, Question())
    assert report.stream.column("woke_at").values.tolist() == [30, 80]
    assert report.checkpoint.column("woke_at").values.tolist() == [30, -1]
    assert report.checkpoint.column("state").values.tolist() == ["active", "waking"]


def test_as_published_holds_for_the_checkpoint_and_is_noted(run, encoded, make_posterior):
    encoded(make_posterior("checkpoint", [0.7, 0.1]))  # E[σ] = .84 and .32
    report = answer(run, Question(as_published=True))
    assert report.checkpoint.inactive.tolist() == [True, False]
    assert report.stream.rule == "E[σ²] ≥ 0.8"
    assert report.notes == ("The stream does not record E[σ], so its figures are by the paper's definitions.",)
    encoded(restore_error=UsageError("none"))
    assert answer(run, Question(as_published=True)).notes[0].endswith("; as published needs a checkpoint.")


def test_what_is_wrong_with_the_numbers_is_noted(make_source):
    source = make_source(20, None, latents=12)
    source.channels["mean_variance"][:, :10] = np.nan
    source.channels["mean_variance"][3, 11] = np.inf
    del source.channels["mean_mu"]
    notes = answer(source, Question(checkpoint=False)).notes
    assert notes == (
        "The stream lacks mean_mu; what would follow from them is not known.",
        "In 20 of the 20 rows of the stream a latent was not finite; its means are over the other rows.",
        "No finite E[σ²] in the stream for 10 of 12 latents: 0, 1, 2, 3, 4, 5, 6, 7, ….",
    )


SHAPES = {"data": {"name": "shapes"}}


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({**SHAPES, "factors": ["x", "y", "hue"]}, (3, ("x", "y", "hue"))),
        ({**SHAPES, "factors": 5}, (5, ())),
        (SHAPES, None),
        ({"factors": 5}, None),
        ({"data": {"name": "mnist"}, "factors": 5}, None),
        ({}, None),
    ],
)
def test_factors_stand_beside_the_latents_of_shapes_alone(make_source, wake, config, expected):
    source = make_source(100, None, latents=3, config=config, events=(wake(0, 5), wake(2, 9), wake(2, 20, "sleep")))
    factors = answer(source, Question(checkpoint=False)).factors
    if expected is None:
        assert factors is None
    else:
        assert (factors.count, factors.names) == expected
        assert (factors.woken, factors.active) == (1, 3)  # E[σ²] = .25 is active, woken or not


def test_the_second_stage_has_no_factors(make_source):
    source = make_source(100, None, number=2, config={**SHAPES, "factors": 5})
    assert answer(source, Question(stage=2, checkpoint=False)).factors is None


def test_a_run_is_judged_by_the_thresholds_it_was_recorded_with(runs):
    with Recorder("r", latents=2, thresholds=Thresholds(inactive=0.6, wake=0.1, unit=0.001)) as recorder:
        for step in range(1, 60):
            recorder.log(
                step, mean_variance=[0.2, 0.7], mean_mu=[0.0] * 2, mu_squared=[0.8, 0.005], latent_kl=[1.0, 0.1]
            )
    report = answer(open_source("r"), Question(checkpoint=False))
    assert report.threshold == 0.6
    assert report.stream.column("state").values.tolist() == ["waking", "limbo"]
    figures = {each.name: (each.label, each.value) for each in report.stream.figures["inactive"]}
    assert figures["inactive"] == ("inactive: E[σ²] ≥ 0.6", 1)
    assert figures["active_units"] == ("active units: Var(μ) > 0.001", 2)
    assert figures["active"] == ("state active: E[σ²] < 0.1, awake ≤ 0.5", 0)
    assert (
        answer(open_source("r"), Question(thresholds={"inactive": 0.8}, checkpoint=False)).stream.inactive.tolist()
        == [False] * 2
    )


def test_wakes_are_found_anew_by_other_thresholds(runs):
    with Recorder("r", latents=1) as recorder:
        for step in range(1, 800):
            variance = [0.9 if step < 200 else 0.4]
            recorder.log(step, mean_variance=variance, mean_mu=[0.0], mu_squared=[0.5], latent_kl=[0.2])
    assert answer(open_source("r"), Question(checkpoint=False)).stream.column("woke_at").values.tolist() == [-1]
    source = open_source("r", thresholds={"wake": 0.45})
    report = answer(source, Question(checkpoint=False, thresholds={"wake": 0.45}))
    assert 200 < report.stream.column("woke_at").values[0] < 300
    assert report.stream.column("state").values.tolist() == ["active"]


def test_epsilon_reaches_the_encoder(run, encoded, monkeypatch):
    encoded()
    heard = []
    module = sys.modules["analysis.encode"]
    before = module.Checkpoint.encode_test_set
    monkeypatch.setattr(
        module.Checkpoint,
        "encode_test_set",
        lambda self, data, told, epsilon: heard.append(epsilon) or before(self, data, told, epsilon),
    )
    answer(run, Question(thresholds={"epsilon": 0.3}))
    assert heard == [0.3]
