"""`make bench`: the real program runs scripts of a few lines instead of the benchmarks, into a page of its own."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"

DRIVER = """
import sys
from pathlib import Path
folder, page, peers = map(Path, sys.argv[1:4])
sys.path.insert(0, sys.argv[4])
import bench
from scripts import Script
scripts = (
    Script("one", (1, 1), ("--long",), ("--short",)),
    Script("two", (1, 1), peers="around"),
    Script("three", (1, 1), peers="beside"),
)
sys.exit(bench.main([*sys.argv[5:], "--page", str(page), "--peers", str(peers)], scripts, folder))
"""

SAYS_ITS_OPTIONS = "import sys; print('\\n**Title**\\n\\noptions:', *sys.argv[1:])"


class Bench:
    """A page of three parts, and three scripts that print how they were called."""

    def __init__(self, folder):
        self.folder, self.page, self.peers = folder, folder / "page.md", folder / "peers"
        names = ("one", "two", "three")
        parts = [f"about {name}\n<!-- measured: {name} -->\nold {name}\n<!-- end of {name} -->\n" for name in names]
        self.page.write_text("\n".join(parts))
        for name in names:
            self.script(name, SAYS_ITS_OPTIONS)

    def script(self, name, code):
        (self.folder / f"{name}.py").write_text(code)

    def start(self, *given):
        told = (self.folder, self.page, self.peers, BENCHMARKS)
        command = [sys.executable, "-c", DRIVER, *map(str, told), *given]
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8")

    def run(self, *given):
        """Exit code, standard output, standard error."""
        with self.start(*given) as process:
            output, error = process.communicate(timeout=60)
        return process.returncode, output, error

    def part(self, name):
        text = self.page.read_text(encoding="utf-8")
        return re.search(f"<!-- measured: {name} -->\n(.*?)<!-- end of {name} -->", text, re.DOTALL)[1]


@pytest.fixture
def bench(tmp_path):
    return Bench(tmp_path)


def test_each_part_is_what_its_script_printed_below_a_line_on_how(bench):
    code, output, error = bench.run()
    assert code == 0
    for name, options in (("one", "--long"), ("two", ""), ("three", "")):
        line, _, printed = bench.part(name).partition("\n\n")
        assert printed == f"**Title**\n\noptions: {options}".rstrip() + "\n"
        assert re.search(rf"`python \S*{name}\.py{' --long' if options else ''}`; .+ \d+ cores, Python 3\.\d+", line)
        assert re.search(r"; load \d+\.\d before.*; \d{4}-\d\d-\d\d, \d+ s\.$", line)
        assert re.search(rf"^  {name} +measured in \d+ s$", output, re.MULTILINE)
    assert bench.page.read_text().count("about ") == 3
    assert "[2/3] two: usually about 1 min" in error


def test_only_what_was_asked_for_is_run_and_in_the_order_of_the_page(bench):
    code, output, _ = bench.run("three", "one", "--quick")
    assert code == 0
    assert "options: --short" in bench.part("one")
    assert bench.part("two") == "old two\n"
    assert output.index("  one ") < output.index("  three ")
    assert "two" not in output


def test_a_script_that_fails_or_says_nothing_leaves_its_old_part(bench):
    bench.script("one", "print('half of it'); raise SystemExit(3)")
    bench.script("two", "")
    code, output, _ = bench.run()
    assert code == 1
    assert bench.part("one") == "old one\n"
    assert bench.part("two") == "old two\n"
    assert "options" in bench.part("three")
    assert "FAILED: exit code 3; its part of the page is as it was" in output
    assert "FAILED: it printed nothing" in output


def test_what_cannot_be_measured_here_is_no_failure(bench):
    bench.script("one", "import sys; print('half'); print('no sshd here', file=sys.stderr); sys.exit(77)")
    code, output, error = bench.run("one")
    assert code == 0
    assert bench.part("one") == "old one\n"
    assert "cannot be measured here" in output
    assert "no sshd here" in error


def test_missed_bars_are_counted(bench):
    bench.script("one", "print('| a | **missed** |\\n| b | **missed** |')")
    code, output, _ = bench.run("one")
    assert code == 0
    assert "2 of its bars missed" in output


def test_a_wrong_name_or_page_is_told_before_anything_is_run(bench):
    code, _, error = bench.run("four")
    assert (code, "four is no benchmark; they are: one, two, three" in error) == (2, True)
    bench.page.write_text(bench.page.read_text().replace("<!-- measured: two -->", "<!-- measured: zwei -->"))
    before = bench.page.read_text()
    code, _, error = bench.run()
    assert (code, "`<!-- measured: zwei -->` has no other half" in error) == (2, True)
    assert "Traceback" not in error
    assert bench.page.read_text() == before


def test_peers_are_used_where_they_are_installed(bench):
    (bench.peers / "bin").mkdir(parents=True)
    python = bench.peers / "bin" / "python"
    python.write_text(f'#!/bin/sh\necho "by the peers\' Python"\nexec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    assert bench.run()[0] == 0
    assert "by the peers' Python" not in bench.part("one")
    assert "by the peers' Python" in bench.part("two")
    assert "/peers/bin/python" in bench.part("two").partition("\n")[0]
    assert f"options: --rivals {bench.peers}" in bench.part("three")


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_told_to_end_it_keeps_what_was_measured_and_leaves_nobody_behind(bench, how):
    here = bench.folder / "here"
    bench.script("two", f"import os, time; open({str(here)!r}, 'x').write(str(os.getpid())); time.sleep(60)")
    process = bench.start()
    until = time.monotonic() + 60
    while not (here.exists() and here.read_text()) and time.monotonic() < until:
        time.sleep(0.02)
    process.send_signal(how)
    output, error = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "options: --long" in bench.part("one")
    assert bench.part("two") == "old two\n"
    assert re.search(r"two +stopped", output)
    assert re.search(r"three +not reached", output)
    assert "Traceback" not in error
    with pytest.raises(ProcessLookupError):
        os.kill(int(here.read_text()), 0)
