"""What benchmarks print, and its parts in the page."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "benchmarks.md"
TEXT = """# Speed

prose

<!-- measured: a -->
old a
<!-- end of a -->

more

<!-- measured: b-2 -->
<!-- end of b-2 -->
end
"""


@pytest.fixture(scope="module")
def page(module):
    return module("page")


@pytest.fixture(scope="module")
def tables(module):
    return module("tables")


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "page.md"
    path.write_text(TEXT)
    return path


def test_a_part_is_what_stands_between_its_marks(page):
    assert page.parts(TEXT) == {"a": "old a\n", "b-2": ""}


def test_only_the_part_is_replaced_and_a_second_time_changes_nothing(page, file):
    page.replace(file, "a", "\n| x |\n|---|\n| \\1 |\n\n")
    once = file.read_text()
    assert once == TEXT.replace("old a", "| x |\n|---|\n| \\1 |")
    page.replace(file, "a", page.parts(once)["a"])
    assert file.read_text() == once
    assert [each.name for each in file.parent.iterdir()] == ["page.md"]


def test_what_was_written_meanwhile_stays(page, file):
    page.replace(file, "a", "new")
    file.write_text(file.read_text().replace("prose", "better prose"))
    page.replace(file, "b-2", "new, too")
    assert "better prose" in file.read_text()
    assert page.parts(file.read_text()) == {"a": "new\n", "b-2": "new, too\n"}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (TEXT.replace("<!-- end of a -->", ""), "`<!-- measured: a -->` has no other half"),
        (TEXT.replace("<!-- measured: a -->", ""), "`<!-- end of a -->` has no other half"),
        (TEXT.replace("<!-- end of a -->", "<!-- end of c -->"), "`<!-- measured: a -->` has no other half"),
        (TEXT.replace("old a", "<!-- measured: d -->"), "`<!-- measured: d -->` has no other half"),
        (TEXT.replace("b-2", "a"), "a is marked twice"),
    ],
)
def test_marks_that_do_not_fit_are_named(page, text, told):
    with pytest.raises(page.PageError, match=re.escape(told)):
        page.parts(text)


def test_a_part_too_few_or_too_many_is_named(page, file):
    page.check(file, ["a", "b-2"])
    with pytest.raises(page.PageError, match=r"page\.md has no part for c: add `<!-- measured: c -->`"):
        page.check(file, ["a", "b-2", "c"])
    with pytest.raises(page.PageError, match=r"page\.md has a part for b-2, which is no benchmark; they are: a"):
        page.check(file, ["a"])
    with pytest.raises(page.PageError, match="cannot be read: No such file"):
        page.check(file.with_name("none.md"), ["a"])


def test_a_page_that_cannot_be_written_is_told_and_left(page, file):
    (file.parent / f".{file.name}.new").mkdir()
    with pytest.raises(page.PageError, match=f"{file} cannot be written: Is a directory"):
        page.replace(file, "a", "new")
    assert file.read_text() == TEXT


def test_a_benchmark_does_not_end_its_own_part(page, file):
    with pytest.raises(page.PageError, match="a printed a mark of the page"):
        page.replace(file, "a", "x\n<!-- end of a -->\ny")
    assert file.read_text() == TEXT


def test_every_benchmark_is_run_by_make_bench_and_has_its_part(page, module):
    """A benchmark is what begins as one; the others are what they share, and programs that they start."""
    benchmarks = {
        path.stem for path in (ROOT / "benchmarks").glob("*.py") if "    begin()\n" in path.read_text("utf-8")
    }
    assert len(benchmarks) >= 10
    assert {each.name for each in module("scripts").SCRIPTS} == benchmarks
    assert set(page.parts(PAGE.read_text(encoding="utf-8"))) == benchmarks


def test_all_of_them_take_about_as_long_as_is_said(module):
    scripts = module("scripts").SCRIPTS
    assert 20 <= sum(each.minutes[0] for each in scripts) <= 35
    assert 5 <= sum(each.minutes[1] for each in scripts) <= 12


def test_benchmarks_print_markdown_in_one_way_only():
    for path in (ROOT / "benchmarks").glob("*.py"):
        if path.stem not in ("tables", "bench", "write", "figures"):
            assert not re.search(r"(?<![.\w])print\(", path.read_text("utf-8")), (
                f"{path.name}: print_table, print_note or say"
            )


def test_a_table_is_markdown(tables, capsys):
    tables.print_table("Two things", ("", "a|b"), [("one", "1"), ("the other", "1,000")])
    assert capsys.readouterr().out == (
        "\n**Two things**\n\n"
        "|           |  a\\|b |\n"
        "|-----------|------:|\n"
        "| one       |     1 |\n"
        "| the other | 1,000 |\n"
    )


def test_bars_say_which_were_missed(tables, capsys):
    bars = tables.Bars()
    bars.print()
    assert not capsys.readouterr().out
    bars.at_most("time", 2.0, 3.0, "ms")
    bars.at_least("ratio", 1.2, 1.4, "×")
    bars.at_most("never measured", float("nan"), 1.0, "")
    bars.print()
    lines = capsys.readouterr().out.splitlines()
    assert lines[1] == "**Bars: 1 of 3 met**"
    assert [re.split(r" *\| *", line)[1:5] for line in lines[5:]] == [
        ["time", "2 ms", "≤ 3 ms", "met"],
        ["ratio", "1.2 ×", "≥ 1.4 ×", tables.MISSED],
        ["never measured", "-", "≤ 1", tables.MISSED],
    ]
