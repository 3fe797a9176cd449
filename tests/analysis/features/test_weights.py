import hashlib
import http.server
import threading
from contextlib import contextmanager

import pytest
import torch

from analysis.features import weights
from trainer.fetch import download
from trainer.fetch.catalogue import File
from vaemon.errors import NotFetched


@contextmanager
def bar(name):
    yield lambda done, total: None


@pytest.fixture(scope="module")
def file(random_weights, tmp_path_factory):
    path = tmp_path_factory.mktemp("weights") / "random.pth"
    torch.save(random_weights, path)
    return path


@pytest.fixture
def published(file, monkeypatch):
    """As if these weights were those published."""
    content = file.read_bytes()
    checksum = f"sha256:{hashlib.sha256(content).hexdigest()}"
    monkeypatch.setattr(weights, "PUBLISHED", File("pt.pth", checksum, len(content)))
    monkeypatch.setattr(weights, "MIRRORS", ("http://127.0.0.1:9/",))
    monkeypatch.setattr(download, "SCHEMES", ("http",))
    monkeypatch.setattr(download, "PAUSE", 0)
    return content


def test_the_file_that_is_named_is_taken(published, file, monkeypatch):
    assert weights.inception(file, bar).Conv2d_1a_3x3.weight.shape == (32, 3, 3, 3)
    monkeypatch.setenv(weights.VARIABLE, str(file))
    assert weights.find(None, bar) == file


@pytest.mark.parametrize("spoil", [lambda content: content[:-1], lambda content: b"\0" + content[1:], lambda _: b""])
def test_a_damaged_file_is_refused_in_one_line(published, tmp_path, spoil):
    path = tmp_path / "spoilt.pth"
    path.write_bytes(spoil(published))
    with pytest.raises(NotFetched, match=r"damaged, or holds the weights of another network") as told:
        weights.inception(path, bar)
    assert "\n" not in str(told.value)
    assert weights.PUBLISHED.checksum in str(told.value)


def test_a_file_that_is_not_there_is_named(published, tmp_path, monkeypatch):
    monkeypatch.setenv(weights.VARIABLE, str(tmp_path / "none.pth"))
    with pytest.raises(NotFetched, match=r"none\.pth \(\$VAEMON_INCEPTION\): No such file"):
        weights.find(None, bar)


def test_without_weights_or_network_one_line_says_what_to_do(published):
    with pytest.raises(NotFetched) as told:
        weights.inception(None, bar)
    line = str(told.value)
    assert "\n" not in line
    for word in ("http://127.0.0.1:9/pt.pth", f"{len(published):,} bytes", weights.PUBLISHED.checksum, "--weights"):
        assert word in line


def test_they_are_fetched_once_to_the_cache(published, own_cache, monkeypatch):
    asked = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_response(200)
            self.send_header("Content-Length", str(len(published)))
            self.end_headers()
            self.wfile.write(published)

        def log_message(self, *_):
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setattr(weights, "MIRRORS", (f"http://127.0.0.1:{server.server_port}/",))
        assert weights.find(None, bar) == own_cache / "pt.pth"
        assert weights.find(None, bar) == own_cache / "pt.pth"
        server.shutdown()
    assert asked == ["/pt.pth"]
