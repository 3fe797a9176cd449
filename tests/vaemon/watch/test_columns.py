from vaemon.watch.widgets.columns import lay_out

HEADS = ("", "state", "step", "a long heading", "KL")
LINES = (["", "running", "1,200", "x", "3.2"], ["", "over", "7", "y", "12.5"])


def test_what_has_no_room_is_left_out_and_a_narrower_one_after_it_is_not():
    made = lay_out(HEADS, LINES, name=5, room=5 + 9 + 7 + 6)
    assert list(made.kept) == [1, 2, 4]
    assert list(lay_out(HEADS, LINES, name=5, room=5 + 9 + 7 + 6 - 1).kept) == [1, 2]
    assert list(lay_out(HEADS, LINES, name=5, room=0).kept) == []


def test_columns_stand_in_the_order_asked_for():
    assert list(lay_out(HEADS, LINES, 5, 99, (4, 1, 3, 2)).kept) == [4, 1, 3, 2]


def test_the_state_begins_at_the_left_and_all_else_ends_at_the_right():
    made = lay_out(HEADS, LINES, 5, 99)
    assert ["".join(made.set(line, i) for i in made.kept) for line in (HEADS, *LINES)] == [
        "  state     step  a long heading    KL",
        "  running  1,200               x   3.2",
        "  over         7               y  12.5",
    ]
