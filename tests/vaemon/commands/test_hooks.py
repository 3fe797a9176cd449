"""What an alert sets off: a command with a script that writes a file, a web address with a server of one's own."""

import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from vaemon.commands import hooks
from vaemon.commands.hooks import MOST_CHILDREN, CommandHook, Hooks, Occasion, webhook
from vaemon.errors import UsageError
from vaemon.view.alerts import Alert

OCCASION = Occasion("r; rm -rf ~", Alert("mse<1", "mse<1: `mse` $0.5\n\0", 12, 1, 3.5, 0))


@pytest.fixture
def answering(monkeypatch):
    """answering(code) -> the address of a web server, and what has been posted there."""
    servers = []
    monkeypatch.setenv("no_proxy", "*")

    def serve(code=204):
        posted = []

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                posted.append((self.path, self.headers["Content-Type"], body))
                self.send_response(code)
                self.end_headers()

            def log_message(self, *words):
                pass

        servers.append(HTTPServer(("127.0.0.1", 0), Handler))
        threading.Thread(target=servers[-1].serve_forever, args=(0.01,)).start()
        return f"http://127.0.0.1:{servers[-1].server_port}/hook", posted

    yield serve
    for server in servers:
        server.shutdown()
        server.server_close()


def told(hook, *occasions):
    """What failed while a hook was told of some occasions."""
    found = Hooks({"--hook": hook})
    for each in occasions:
        found.tell(each)
    found.close(30.0)
    return found.troubles()


def test_a_command_is_started_without_a_shell_and_told_of_what(tmp_path):
    script = tmp_path / "tell.py"
    script.write_text(
        "import json, os, sys, pathlib\n"
        "told = {name: value for name, value in os.environ.items() if name.startswith('VAEMON_')}\n"
        "pathlib.Path(sys.argv[1]).write_text(json.dumps([sys.argv[2:], told]))\n"
    )
    written = tmp_path / "told.json"
    hook = CommandHook(f"{sys.executable} {script} {written} 'a b' $HOME '*'")
    assert told(hook, OCCASION) == []
    assert hook.children[0].wait(60) == 0
    words, environment = json.loads(written.read_text())
    assert words == ["a b", "$HOME", "*"]
    environment.pop("VAEMON_RUNS", None)
    assert environment == {
        "VAEMON_RUN": "r; rm -rf ~",
        "VAEMON_RULE": "mse<1",
        "VAEMON_TEXT": "mse<1: `mse` $0.5\n?",
        "VAEMON_STEP": "12",
    }


def test_no_more_than_some_commands_run_at_once(tmp_path):
    gate = tmp_path / "gate"
    waits = f"import pathlib, time\nwhile not pathlib.Path({str(gate)!r}).exists(): time.sleep(0.01)"
    (tmp_path / "wait.py").write_text(waits)
    hook = CommandHook(f"{sys.executable} {tmp_path / 'wait.py'}")
    for _ in range(MOST_CHILDREN):
        hook(OCCASION)
    with pytest.raises(OSError, match=f"{MOST_CHILDREN} of its processes run still"):
        hook(OCCASION)
    gate.touch()
    for child in hook.children:
        assert child.wait(60) == 0
    hook(OCCASION)
    (last,) = hook.children
    assert last.wait(60) == 0


def test_a_command_that_cannot_be_started_is_told_once():
    troubles = told(CommandHook("/no/such/command"), OCCASION, OCCASION)
    assert len(troubles) == 1
    assert "--hook failed: " in troubles[0]
    assert "/no/such/command" in troubles[0]


def test_a_web_address_is_posted_a_json_object(answering):
    url, posted = answering()
    assert told(webhook(url), OCCASION) == []
    ((path, kind, body),) = posted
    assert (path, kind) == ("/hook", "application/json")
    assert json.loads(body) == {
        "text": "r; rm -rf ~: mse<1: `mse` $0.5\n\0",
        "run": "r; rm -rf ~",
        "rule": "mse<1",
        "step": 12,
        "stage": 1,
        "time": 3.5,
    }


def test_a_web_address_that_refuses_is_told_once_and_its_secret_not(answering):
    url, posted = answering(500)
    troubles = told(webhook(url + "?key=secret"), OCCASION, OCCASION)
    assert len(posted) == 2
    assert len(troubles) == 1
    assert "127.0.0.1 did not take it (HTTP Error 500" in troubles[0]
    assert "secret" not in troubles[0]


@pytest.mark.parametrize("url", ["", "example.org", "ftp://example.org/x", "file:///etc/passwd", "https:///x"])
def test_what_is_no_web_address_is_refused(url):
    with pytest.raises(UsageError, match="--webhook"):
        webhook(url)


@pytest.mark.parametrize(("command", "said"), [("", "no command"), ("  ", "no command"), ("'x", "quotation")])
def test_what_is_no_command_is_refused(command, said):
    with pytest.raises(UsageError, match=f"--run-on-alert.*{said}"):
        CommandHook(command)


def test_whoever_tells_does_not_wait_and_too_many_are_left_out(monkeypatch):
    monkeypatch.setattr(hooks, "MOST_WAITING", 3)
    begun, gate, done = threading.Event(), threading.Event(), []

    def slow(occasion):
        begun.set()
        gate.wait()
        done.append(occasion)

    found = Hooks({"--slow": slow})
    found.tell(OCCASION)
    begun.wait()
    for _ in range(5):
        found.tell(OCCASION)
    assert done == []
    found.close(0.0)
    assert found.troubles() == ["--slow failed: 3 alerts wait already; further ones are left out"]
    assert found.troubles() == []
    gate.set()
    found.close(30.0)
    assert len(done) == 4
