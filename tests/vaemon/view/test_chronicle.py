from vaemon.batch import Event
from vaemon.view.chronicle import chronicle


def event(step, kind="wake", latent=-1, text="", stage=1):
    return Event(step, float(step), stage, kind, latent, text)


def test_the_newest_comes_first():
    lines = chronicle([event(1, "stage"), event(40, latent=17), event(90, "sleep", latent=3)])
    assert [(line.step, line.text) for line in lines] == [
        (90, "z3 fell asleep"),
        (40, "z17 woke"),
        (1, "stage 1 begins"),
    ]


def test_a_latent_that_flickers_is_told_once():
    flicker = [event(10 * i, "wake" if i % 2 else "sleep", latent=5) for i in range(1, 8)]
    lines = chronicle([*flicker, event(33, latent=2)])
    assert [line.text for line in lines] == ["z2 woke", "z5 flickers: 4 wakes, awake"]
    assert lines[1].step == 70


def test_two_passages_are_no_flicker():
    lines = chronicle([event(10, "wake", 5), event(20, "sleep", 5)])
    assert [line.text for line in lines] == ["z5 fell asleep", "z5 woke"]


def test_stages_are_told_apart():
    passages = [event(10, "wake", 5), event(20, "sleep", 5), event(10, "wake", 5, stage=2)]
    assert len(chronicle(passages)) == 3


def test_what_else_happens():
    lines = chronicle(
        [
            event(5, "checkpoint", text="step-5.pt"),
            event(6, "nan", text="mse"),
            event(7, "note", text="warm-up ends"),
            event(8, "stop"),
            event(9, "unheard-of"),
            event(9, "stage", text="second stage", stage=2),
        ]
    )
    assert [line.text for line in reversed(lines)] == [
        "checkpoint: step-5.pt",
        "not finite: mse",
        "warm-up ends",
        "stopped",
        "unheard-of",
        "second stage",
    ]


def test_nothing_has_happened():
    assert chronicle([]) == []
