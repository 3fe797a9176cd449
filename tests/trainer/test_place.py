import os

import pytest

from trainer.place import Place, place_here
from vaemon.errors import UsageError

NAMES = ("WORLD_SIZE", "RANK", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT")
WHOLE = {"WORLD_SIZE": "4", "RANK": "3", "LOCAL_RANK": "1", "MASTER_ADDR": "node0", "MASTER_PORT": "29500"}


@pytest.fixture
def environment(monkeypatch):
    """environment(RANK="3", …): these are set, the others not."""

    def make(**values):
        for name in NAMES:
            monkeypatch.delenv(name, raising=False)
        for name, value in values.items():
            monkeypatch.setenv(name, value)

    return make


@pytest.mark.parametrize(
    ("values", "place"),
    [({}, Place()), ({"WORLD_SIZE": "1", "RANK": "x"}, Place()), (WHOLE, Place(3, 4, 1))],
)
def test_the_environment_says_which_process_this_is(environment, values, place):
    environment(**values)
    assert place_here() == place


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"WORLD_SIZE": "two"}, "WORLD_SIZE=two must be a whole number from 1 to "),
        ({"WORLD_SIZE": "0"}, "WORLD_SIZE=0 must be"),
        ({"RANK": ""}, "RANK is not set; torchrun sets it; one process alone wants WORLD_SIZE unset"),
        ({"RANK": "4"}, "RANK=4 must be a whole number from 0 to 3"),
        ({"LOCAL_RANK": "-1"}, "LOCAL_RANK=-1 must be"),
        ({"MASTER_ADDR": ""}, "MASTER_ADDR is not set, the machine where 4 processes are to meet"),
        ({"MASTER_PORT": "99999"}, "MASTER_PORT=99999 must be a whole number from 1 to 65535"),
        ({"MASTER_PORT": ""}, "MASTER_PORT is not set"),
    ],
)
def test_what_is_wrong_with_it_is_said(environment, changed, said):
    environment(**WHOLE | changed)
    with pytest.raises(UsageError) as told:
        place_here()
    assert said in str(told.value)


@pytest.mark.parametrize("words", [("train", "shapes"), ("fid", "a.npz", "b.npz")], ids=["train", "fid"])
def test_no_command_answers_with_a_traceback(words, tmp_path, torch_fork_server):
    environment = {**os.environ, "WORLD_SIZE": "2"}
    environment.pop("RANK", None)
    done = torch_fork_server.run(*words, environment=environment, folder=str(tmp_path))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "vaemon: RANK is not set; torchrun sets it; one process alone wants WORLD_SIZE unset\n"
