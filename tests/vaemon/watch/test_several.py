"""Several runs in one dashboard: compared, listed, switched between."""

import pytest

from vaemon.batch import RunState
from vaemon.errors import SourceLost
from vaemon.watch.memory import Memory


def three(fake):
    """Runs that differ in all that runs can differ in: latents, length, config, state."""
    first = fake.Source(fake.stage(), name="alpha", shown={1: 700}, config={"lr": 1e-3, "seed": 1})
    second = fake.Source(fake.stage(latents=12), name="beta", state=RunState.FINISHED, config={"lr": 1e-4, "seed": 1})
    third = fake.Source(
        fake.stage(latents=0, steps=300), name="gamma", state=RunState.CRASHED, config={"seed": 1, "net": {"h": 2}}
    )
    return first, second, third


def app_of(fake, sources, **options):
    first, *others = sources
    clock = fake.Clock(fake.when(fake.stage(), 700))
    named = [(each.name, each) for each in others]
    return fake.App(first, title=first.name, others=named, clock=clock, **options)


def text(fake, app):
    return "\n".join(fake.lines(app))


def row_of(fake, app, name):
    return next(line for line in fake.lines(app)[1:] if name in line)


def test_several_runs_are_compared_at_first(fake):
    async def look(app, pilot):
        assert app.run_screen.number == 8
        seen = text(fake, app)
        assert "3 runs" in seen
        assert "active latents" in seen
        assert "700/1,200" in row_of(fake, app, "alpha")
        assert "finished" in row_of(fake, app, "beta")
        assert "crashed" in row_of(fake, app, "gamma")
        assert "/" not in row_of(fake, app, "gamma").replace("300/300", "")  # it has no latents to count

    fake.play(app_of(fake, three(fake)), look)


def test_a_single_run_is_not_compared(fake):
    async def look(app, pilot):
        assert app.run_screen.number == 1
        await pilot.press("8")
        await fake.settle(app, pilot)
        assert "1 run " in text(fake, app)

    fake.play(app_of(fake, three(fake)[:1]), look)


def test_down_shows_the_next_run_in_the_same_view_and_enter_opens_it(fake):
    async def look(app, pilot):
        await pilot.press("L", "j")
        await fake.settle(app, pilot)
        assert (app.seat.name, app.run_screen.number) == ("beta", 8)
        assert app.run_screen.look.log, "they are compared as before"
        assert row_of(fake, app, "━b").startswith("▸")
        await pilot.press("G")
        await fake.settle(app, pilot)
        assert app.seat.name == "gamma"
        await pilot.press("g", "enter")
        await fake.settle(app, pilot)
        assert (app.seat.name, app.run_screen.number) == ("alpha", 1)
        assert "beta" not in text(fake, app)

    fake.play(app_of(fake, three(fake)), look)


def test_its_own_key_leads_through_the_parts(fake):
    async def look(app, pilot):
        await pilot.press("8")
        await fake.settle(app, pilot)
        seen = text(fake, app)
        assert "latents by wake" in seen
        assert "no latents recorded" in seen
        await pilot.press("8")
        await fake.settle(app, pilot)
        lines = [line.split() for line in fake.lines(app)]
        assert ["lr", "0.001", "0.0001", "–"] in lines
        assert ["net.h", "–", "–", "2"] in lines
        assert not [line for line in lines if line[:1] == ["seed"]]
        await pilot.press("8")
        await fake.settle(app, pilot)
        assert "active latents" in text(fake, app)

    fake.play(app_of(fake, three(fake)), look)


def test_all_parts_are_seen_where_there_is_room(fake):
    async def look(app, pilot):
        seen = text(fake, app)
        for part in ("active latents", "latents by wake", "keys differ"):
            assert part in seen

    fake.play(app_of(fake, three(fake)), look, (200, 60))


@pytest.mark.parametrize("size", [(40, 10), (20, 5), (1, 1), (72, 60)])
def test_every_size_is_borne(fake, size):
    async def look(app, pilot):
        await pilot.press("8", "8", "tab", "enter", "escape", "9", "j", "8")

    fake.play(app_of(fake, three(fake)), look, size)


def test_the_crosshair_tells_the_values_of_all_runs_at_one_step(fake):
    async def look(app, pilot):
        await pilot.press(*["left"] * 4)
        await fake.settle(app, pilot)
        assert "at ▲" in text(fake, app)
        steps = [int(row_of(fake, app, name).split()[4]) for name in ("━a", "━b")]
        assert abs(steps[0] - steps[1]) <= 4, "columns of either run are at most so wide"
        assert row_of(fake, app, "━c").split()[4:] == ["–"] * 7, "it had ended before"

    fake.play(app_of(fake, three(fake)), look)


def test_a_run_without_the_stage_that_is_compared_takes_no_part(fake):
    both = fake.Source(fake.stage(), fake.stage(latents=32, number=2, steps=400), name="both")
    one = fake.Source(fake.stage(), name="one")

    async def look(app, pilot):
        app.step()
        app.step()
        await pilot.press("8")
        await fake.settle(app, pilot)
        assert "no stage 2" in text(fake, app)
        await pilot.press("t")
        app.step()
        app.step()
        await fake.settle(app, pilot)
        assert "no stage" not in text(fake, app)
        await pilot.press("1", "n")
        app.step()
        app.step()
        await fake.settle(app, pilot)
        assert app.seats[0].view.stage == 2, "what is not compared is at its newest stage"

    fake.play(app_of(fake, (both, one)), look)


def test_runs_that_wait_or_do_not_answer_are_compared_too(fake):
    waits = fake.Source(fake.stage(), name="waits", shown={1: 0}, state=RunState.WAITING)
    lost = fake.Source(fake.stage(), name="lost")
    lost.broken = SourceLost("no route to host")
    good = fake.Source(fake.stage(), name="good")

    async def look(app, pilot):
        assert "waiting" in row_of(fake, app, "waits")
        assert "link lost" in row_of(fake, app, "━b")
        assert "1,200/1,200" in row_of(fake, app, "good")
        assert "active latents" in text(fake, app)
        await pilot.press("n", "n", "8", "8")
        await fake.settle(app, pilot)

    fake.play(app_of(fake, (waits, lost, good)), look)


def test_more_runs_than_colours_are_compared_page_by_page(fake):
    sources = [fake.Source(fake.stage(steps=100, latents=4), name=f"run-{i}") for i in range(10)]

    async def look(app, pilot):
        assert "runs 1-8 of 10" in text(fake, app)
        await pilot.press("G")
        await fake.settle(app, pilot)
        assert "runs 9-10 of 10" in text(fake, app)
        assert app.seat.name == "run-9"

    fake.play(app_of(fake, sources), look)


def test_a_paused_comparison_stands_still(fake):
    sources = three(fake)

    async def look(app, pilot):
        await pilot.press("space")
        await fake.settle(app, pilot)
        before = fake.lines(app)[1:]
        sources[0].shown[1] = 900
        app.step()
        await fake.settle(app, pilot)
        assert fake.lines(app)[1:] == before
        await pilot.press("space")
        await fake.settle(app, pilot)
        assert "900/1,200" in row_of(fake, app, "alpha")

    fake.play(app_of(fake, sources), look)


def test_compare_is_remembered_for_no_single_run(fake, tmp_path):
    memory = Memory(tmp_path / "views.json")

    async def look(app, pilot):
        await pilot.press("L")

    fake.play(app_of(fake, three(fake), memory=lambda: memory), look)
    assert memory.recall("runs/alpha")["view"] == 1


def test_all_runs_are_listed_the_live_ones_first(fake):
    sources = three(fake)

    async def look(app, pilot):
        await pilot.press("9")
        await fake.settle(app, pilot)
        names = [word for line in fake.lines(app)[3:] for word in line.split() if word in ("alpha", "beta", "gamma")]
        assert names[0] == "alpha"
        assert sorted(names) == ["alpha", "beta", "gamma"]
        assert "running" in row_of(fake, app, "◆ alpha")
        assert "40 steps/s" in row_of(fake, app, "◆ alpha")
        assert "1,200/1,200" in row_of(fake, app, "beta")

    fake.play(app_of(fake, sources[:1], directory=fake.Directory(*sources)), look)


def test_a_run_of_the_list_is_opened_and_watched_from_then_on(fake):
    sources = three(fake)
    directory = fake.Directory(*sources)

    async def look(app, pilot):
        await pilot.press("9")
        await fake.settle(app, pilot)
        await pilot.press("slash", *"beta", "enter")
        await fake.settle(app, pilot)
        assert "1 of 3 with “beta”" in text(fake, app)
        await pilot.press("enter")
        app.step()
        await fake.settle(app, pilot)
        assert directory.opened == ["runs/beta"]
        assert [seat.name for seat in app.seats] == ["alpha", "beta"]
        assert app.run_screen.number == 1
        assert "12 by wake" in text(fake, app)
        await pilot.press("9", "enter")
        await fake.settle(app, pilot)
        assert len(app.seats) == 2, "it is not opened twice"

    fake.play(app_of(fake, sources[:1], directory=directory), look)


def test_a_long_list_is_read_bit_by_bit(fake):
    roster = app_of(fake, three(fake)[:1], directory=fake.Directory(*three(fake), read=1)).roster
    told = []
    for _ in range(3):
        roster.take(roster.ask())
        fares = {each.name: each.status.words for each in roster.tell(9, None) if not each.watched}
        told.append((roster.is_whole, fares["alpha"], fares["beta"], fares["gamma"]))
    assert told == [
        (False, "running", "opening", "opening"),
        (False, "running", "finished", "opening"),
        (True, "running", "finished", "crashed"),
    ]


def test_only_who_sees_the_list_asks_for_it(fake):
    directory = fake.Directory(*three(fake), read=1)

    async def look(app, pilot):
        await fake.settle(app, pilot)
        assert directory.asked == 0
        await pilot.press("9")
        for _ in range(500):
            if directory.asked >= 3:
                break
            await pilot.pause(0.02)
        await fake.settle(app, pilot)
        assert "crashed" in row_of(fake, app, "gamma")

    fake.play(app_of(fake, three(fake)[:1], directory=directory), look)


def test_a_run_that_cannot_be_read_is_listed_with_the_reason(fake):
    sources = three(fake)
    sources[1].broken = SourceLost("run.json is damaged")

    async def look(app, pilot):
        await pilot.press("9")
        await fake.settle(app, pilot)
        assert "unreadable" in row_of(fake, app, "beta")
        assert "run.json is damaged" in row_of(fake, app, "beta")

    fake.play(app_of(fake, sources[:1], directory=fake.Directory(*sources)), look)


def test_a_directory_that_does_not_answer_leaves_the_list_as_it_was(fake):
    sources = three(fake)
    directory = fake.Directory(*sources)

    async def look(app, pilot):
        await pilot.press("9")
        await fake.settle(app, pilot)
        directory.broken = SourceLost("permission denied")
        app.ask_directory()
        await fake.settle(app, pilot)
        assert "beta" in text(fake, app)
        assert "permission denied" in text(fake, app)

    fake.play(app_of(fake, sources[:1], directory=directory), look)


def test_a_run_of_another_folder_with_a_name_taken_is_called_by_its_address(fake):
    first, second, _ = three(fake)
    app = app_of(fake, (first, second))
    assert app.roster.name_for("beta", "/other/beta") == "/other/beta"
    assert app.roster.name_for("delta", "/other/delta") == "delta"
