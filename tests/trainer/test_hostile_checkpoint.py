"""A checkpoint made to harm whoever reads it. What SECURITY.md promises of it is tested here and in test_checkpoint."""

import io
import os
import pickle
import zipfile

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trainer import checkpoint
from vaemon.errors import RunFileError

FUZZ = int(os.environ.get("VAEMON_FUZZ", "1"))
SOME = settings(max_examples=60 * FUZZ, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def path(tmp_path, tiny, tiny_stage):
    """A checkpoint of a small network."""
    return checkpoint.save(tmp_path, 1, tiny_stage().state_dict(), tiny(), (8, 8, 3))


def packed_anew(path, how=zipfile.ZIP_STORED, **changed):
    """The same parts, some with other bytes, by the end of their names."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    for end, content in changed.items():
        (name,) = [each for each in parts if each.endswith(f"/{end.replace('_', '.')}")]
        parts[name] = content
    with zipfile.ZipFile(path, "w", how) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)


def change(path, how):
    content = torch.load(path, weights_only=True)
    how(content)
    torch.save(content, path)


def refused(path, said):
    with pytest.raises(RunFileError, match=said) as caught:
        checkpoint.restore_vae(path.parents[1])
    assert str(path) in str(caught.value)


def test_parts_packed_anew_are_read_where_they_are_not_packed(path):
    packed_anew(path)
    assert checkpoint.restore_vae(path.parents[1]).step == 0


def test_a_packed_checkpoint_is_refused_before_it_is_unpacked(path):
    packed_anew(path, zipfile.ZIP_DEFLATED)
    refused(path, "its parts are packed")


def test_parts_that_lie_upon_each_other_are_refused(path):
    """Many names of the same bytes, as a bomb has that needs no packing."""
    content = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        largest = max(archive.infolist(), key=lambda part: part.file_size)
        infos = [*archive.infolist(), *[largest] * 500]
    with zipfile.ZipFile(io.BytesIO(), "w") as made:
        made.filelist = infos
        made.start_dir = len(content)
        made.fp = io.BytesIO(bytes(content))
        made.fp.seek(len(content))
        made._didModify = True
        made._write_end_record()
        path.write_bytes(made.fp.getvalue())
    refused(path, "larger than the file|cannot be read")


GIANTS = {
    "latents": lambda config: config["network"].update(latents=10**9),
    "hidden": lambda config: config["network"].update(name="dense", hidden=[10**6, 10**6]),
    "layers": lambda config: config["network"].update(name="resnet", num_scale=10**9, block_per_scale=10**9),
    "channels": lambda config: config["network"].update(name="infogan", conv_dim=10**7),
    "pseudo-inputs": lambda config: config["balance"].update(name="vampprior", gamma_squared=1.0, pseudo_inputs=10**7),
}


@pytest.mark.parametrize("what", GIANTS)
def test_a_config_that_asks_for_a_giant_is_refused_before_it_is_built(path, what):
    change(path, lambda content: GIANTS[what](content["config"]))
    with pytest.raises((RunFileError, checkpoint.UsageError)):
        checkpoint.restore_vae(path.parents[1])


@pytest.mark.parametrize("shape", [[10**9, 10**9, 3], [0, 8, 3], [8, 8], "888", None, [8, 8, 3.5e300], [-8, -8, 3]])
def test_images_of_an_absurd_shape_are_refused(path, shape):
    change(path, lambda content: content.update(shape=shape))
    with pytest.raises((RunFileError, checkpoint.UsageError)):
        checkpoint.restore_vae(path.parents[1])


def test_a_pickle_that_takes_memory_by_a_number_is_refused(path):
    bomb = b"\x80\x02cbuiltins\nbytearray\n" + pickle.dumps((1 << 50,), 2)[2:-1] + b"R."
    packed_anew(path, data_pkl=bomb)
    refused(path, "cannot be read")


@SOME
@given(st.lists(st.tuples(st.integers(0, 10**6), st.binary(max_size=4), st.integers(0, 4)), min_size=1, max_size=4))
def test_a_pickle_changed_in_any_way_is_read_or_refused(path, edits):
    whole = path.read_bytes()
    with zipfile.ZipFile(path) as archive:
        (name,) = [each for each in archive.namelist() if each.endswith("data.pkl")]
        content = archive.read(name)
    for at, new, cut in edits:
        at %= len(content)
        content = content[:at] + new + content[at + cut :]
    packed_anew(path, data_pkl=content)
    try:
        checkpoint.restore_vae(path.parents[1])
    except (RunFileError, checkpoint.UsageError) as error:
        assert str(path.parents[1]) in str(error)
    finally:
        path.write_bytes(whole)
