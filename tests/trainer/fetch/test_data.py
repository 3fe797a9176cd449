"""`vaemon data` against a server of our own; nothing here leaves the machine."""

import hashlib
import http.server
import re
import socket
import threading
from types import SimpleNamespace

import numpy as np
import pytest
from click.testing import CliRunner

from trainer.fetch import catalogue, command, download
from trainer.fetch.catalogue import CATALOGUE, File, Published
from vaemon.errors import NotFetched, UnknownName

CONTENT = np.random.default_rng(0).integers(0, 256, 300_000, np.uint8).tobytes()
NAME = "images.gz"


def _checksum(content=CONTENT, algorithm="sha256"):
    return f"{algorithm}:{hashlib.new(algorithm, content).hexdigest()}"


class _Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        server = self.server
        start = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        server.asked.append((self.path, int(start[1]) if start else None))
        path = self.path.lstrip("/")
        if path.startswith("moved/"):
            self._answer(302, Location=server.elsewhere + NAME)
        elif path.startswith("gone/"):
            self._answer(404)
        elif path.startswith("busy/"):
            self._answer(503)
        else:
            self._give(path, int(start[1]) if start and not path.startswith("whole/") else None)

    def _answer(self, status, **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()

    def _give(self, path, start):
        content = self.server.contents.get(path.partition("/")[0], CONTENT)
        rest = content[start or 0 :]
        headers = {"Content_Length": str(len(rest))}
        if start is not None:
            headers["Content_Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
        self._answer(200 if start is None else 206, **headers)
        self.wfile.write(rest[: self.server.cut])

    def log_message(self, *_):
        pass


@pytest.fixture
def server(monkeypatch):
    """A server: what it was asked for, after how many bytes it cuts, other contents by the first folder."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as httpd:
        httpd.asked, httpd.cut, httpd.contents = [], None, {}
        httpd.at = f"http://127.0.0.1:{httpd.server_port}/"
        httpd.elsewhere = httpd.at
        thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        monkeypatch.setattr(download, "SCHEMES", ("http",))
        monkeypatch.setattr(download, "PAUSE", 0)
        yield httpd
        httpd.shutdown()
        thread.join()


@pytest.fixture
def fetch(server, tmp_path, monkeypatch):
    """fetch(folder of the server, …) -> click's result, in a table of our own."""

    def call(*folders, checksum=None, size=300_000, mirrors=None):
        mirrors = mirrors or tuple(server.at + folder for folder in folders or ("",))
        made = Published("Made up", (File(NAME, checksum or _checksum(), size),), mirrors, train="vaemon train x {}")
        monkeypatch.setitem(CATALOGUE, "mnist", made)
        return CliRunner().invoke(command.data, ["mnist", "--to", str(tmp_path / "to")])

    return call


@pytest.fixture
def there(tmp_path):
    """Paths of the file and of its part."""
    (tmp_path / "to").mkdir()
    return SimpleNamespace(file=tmp_path / "to" / NAME, part=tmp_path / "to" / f"{NAME}.part")


@pytest.mark.parametrize("algorithm", ["sha256", "md5"])
def test_a_file_is_fetched_checked_and_named(algorithm, fetch, there, server, tmp_path):
    result = fetch(checksum=_checksum(algorithm=algorithm))
    assert result.exit_code == 0, result.exception
    assert there.file.read_bytes() == CONTENT
    assert list((tmp_path / "to").iterdir()) == [there.file]
    assert f"{NAME}: fetched, checksum right" in result.output
    assert "vaemon train x" in result.output
    assert server.asked == [(f"/{NAME}", None)]


def test_what_is_there_is_not_fetched_again(fetch, there, server):
    there.file.write_bytes(CONTENT)
    assert "is there, checksum right" in fetch().output
    assert server.asked == []


def test_another_file_of_that_name_is_left_as_it_is(fetch, there, server):
    there.file.write_bytes(b"mine")
    result = fetch()
    assert isinstance(result.exception, NotFetched)
    assert "is there, but is not images.gz as published (its sha256 differs): move it away" in str(result.exception)
    assert there.file.read_bytes() == b"mine"
    assert server.asked == []


@pytest.mark.parametrize("have", [1, 100_000, len(CONTENT) - 1])
def test_a_download_goes_on_where_it_was(have, fetch, there, server):
    there.part.write_bytes(CONTENT[:have])
    assert fetch().exit_code == 0
    assert there.file.read_bytes() == CONTENT
    assert server.asked == [(f"/{NAME}", have)]


def test_a_download_that_lacks_only_its_name_is_given_it(fetch, there, server):
    there.part.write_bytes(CONTENT)
    assert fetch().exit_code == 0
    assert server.asked == []


def test_a_server_without_ranges_gives_it_from_the_beginning(fetch, there, server):
    there.part.write_bytes(CONTENT[:1000])
    assert fetch("whole/").exit_code == 0
    assert there.file.read_bytes() == CONTENT
    assert len(server.asked) == 1


@pytest.mark.parametrize("before", [b"of another file" * 9, CONTENT + b"more"])
def test_what_was_there_of_something_else_is_thrown_away(before, fetch, there):
    there.part.write_bytes(before)
    assert fetch().exit_code == 0
    assert there.file.read_bytes() == CONTENT


def test_a_connection_that_is_cut_is_made_again(fetch, there, server):
    server.cut = 120_000
    assert fetch().exit_code == 0
    assert there.file.read_bytes() == CONTENT
    assert [start for _, start in server.asked] == [None, 120_000, 240_000]


def test_a_connection_cut_too_often_is_told_and_what_came_is_kept(fetch, there, server):
    server.cut = 50_000
    result = fetch()
    assert isinstance(result.exception, NotFetched)
    assert "150,000 bytes are kept, and the same command goes on from there" in str(result.exception)
    assert "the connection was cut after 150,000 of 300,000 bytes" in str(result.exception)
    assert not there.file.exists()
    assert fetch().exit_code == 0
    assert there.file.read_bytes() == CONTENT


@pytest.mark.parametrize("first", ["gone/", "busy/", "wrong/", "long/"])
def test_where_one_mirror_fails_the_next_is_asked(first, fetch, there, server):
    server.contents = {"wrong": bytes(len(CONTENT)), "long": CONTENT + b"more"}
    assert fetch(first, "").exit_code == 0
    assert there.file.read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("folder", "said"),
    [
        ("gone/", "404 Not Found"),
        ("busy/", "503 Service Unavailable"),
        ("wrong/", "gave another file than the one published (its sha256 differs)"),
        ("long/", "gives more than the 300,000 bytes published"),
    ],
)
def test_where_all_mirrors_fail_each_is_told(folder, said, fetch, server, tmp_path):
    server.contents = {"wrong": bytes(len(CONTENT)), "long": CONTENT + b"more"}
    result = fetch(folder, folder)
    assert isinstance(result.exception, NotFetched)
    assert str(result.exception).count(f"{server.at}{folder}{NAME}: {said}") == 2
    assert list((tmp_path / "to").iterdir()) == []


def test_no_route_is_told(fetch):
    with socket.socket() as taken:  # bound, but not listening: whoever connects is refused
        taken.bind(("127.0.0.1", 0))
        result = fetch(mirrors=(f"http://127.0.0.1:{taken.getsockname()[1]}/", "http://no.such.host.invalid/"))
    assert isinstance(result.exception, NotFetched)
    assert "Connection refused" in str(result.exception)
    assert f"no.such.host.invalid/{NAME}: " in str(result.exception)


def test_who_cannot_reach_it_is_told_what_to_fetch_and_where_to_put_it(fetch, server, tmp_path, monkeypatch):
    mirrors = (server.at + "gone/", server.at + "gone/too/")
    files = tuple(File(name, _checksum(), 300_000) for name in ("train.gz", "test.gz"))
    monkeypatch.setitem(CATALOGUE, "mnist", Published("Made up", files, mirrors, train="vaemon train x {}"))

    def ask():
        return CliRunner().invoke(command.data, ["mnist", "--to", str(tmp_path / "to")])

    assert str(ask().exception).endswith(
        f"By hand: fetch\n  {mirrors[0]}train.gz  300,000 bytes\n  {mirrors[0]}test.gz  300,000 bytes\n"
        f"Put train.gz and test.gz into\n  {tmp_path / 'to'}\nand say the same again: they are checked then."
    )
    (tmp_path / "to" / "train.gz").write_bytes(CONTENT)
    told = str(ask().exception)
    assert told.endswith(f"Put test.gz into\n  {tmp_path / 'to'}\nand say the same again: it is checked then.")
    assert f"{mirrors[1]}test.gz: 404" in told
    (tmp_path / "to" / "test.gz").write_bytes(CONTENT[:-1])
    assert "is not test.gz as published" in str(ask().exception)
    (tmp_path / "to" / "test.gz").write_bytes(CONTENT)
    assert ask().exit_code == 0


def test_only_https_is_asked(fetch, server, monkeypatch):
    monkeypatch.setattr(download, "SCHEMES", ("https",))
    for address in (server.at, "ftp://x/", "file:///etc/"):
        assert f"{address}{NAME} is not https" in str(fetch(mirrors=(address,)).exception)
    assert server.asked == []


def test_a_redirection_is_followed(fetch, there):
    assert fetch("moved/").exit_code == 0
    assert there.file.read_bytes() == CONTENT


def test_a_redirection_to_another_kind_of_address_is_not_followed(fetch, server):
    server.elsewhere = "ftp://127.0.0.1/"
    result = fetch("moved/")
    assert isinstance(result.exception, NotFetched)
    assert f"ftp://127.0.0.1/{NAME} is not http" in str(result.exception)


def test_two_do_not_fetch_the_same_at_once(fetch, there, server):
    with there.part.open("ab") as held:
        download._lock(held, there.file)
        result = fetch()
    assert isinstance(result.exception, NotFetched)
    assert "another process is fetching" in str(result.exception)
    assert server.asked == []


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "file").write_text("x")
    result = CliRunner().invoke(command.data, ["celeba", "--to", str(tmp_path / "file" / "to")])
    assert isinstance(result.exception, NotFetched)
    assert "cannot write to" in str(result.exception)


def test_celeba_is_told_of_and_checked(tmp_path, monkeypatch):
    def ask():
        return CliRunner().invoke(command.data, ["celeba", "--to", str(tmp_path)])

    told = str(ask().exception)
    for word in ("mmlab.ie.cuhk.edu.hk", "img_align_celeba.zip and list_eval_partition.txt", str(tmp_path)):
        assert word in told
    made = tuple(File(file.name, _checksum(file.name.encode())) for file in CATALOGUE["celeba"].files)
    published = CATALOGUE["celeba"]
    monkeypatch.setitem(CATALOGUE, "celeba", Published(published.title, made, (), published.by_hand, published.train))
    (tmp_path / made[0].name).write_bytes(made[0].name.encode())
    assert f"Put {made[1].name} into" in str(ask().exception)
    (tmp_path / made[1].name).write_bytes(b"cut")
    assert "is not list_eval_partition.txt as published" in str(ask().exception)
    (tmp_path / made[1].name).write_bytes(made[1].name.encode())
    assert ask().exit_code == 0


def test_an_unknown_name_is_set_right():
    error = CliRunner().invoke(command.data, ["cifar"]).exception
    assert isinstance(error, UnknownName)
    assert "did you mean 'cifar10'?" in str(error)


@pytest.mark.parametrize("name", catalogue.CATALOGUE)
def test_the_table_is_of_a_form_that_can_be_trusted(name):
    published = CATALOGUE[name]
    assert all(mirror.startswith("https://") and mirror.endswith("/") for mirror in published.mirrors)
    assert published.mirrors or published.by_hand
    for file in published.files:
        assert re.fullmatch(r"md5:[0-9a-f]{32}|sha256:[0-9a-f]{64}", file.checksum)
        assert file.size or not published.mirrors
