"""What a static linter cannot see: which modules are really loaded, by name."""

import subprocess
import sys

import pytest

LOADED = "\nimport sys; print(' '.join(sorted({name.partition('.')[0] for name in sys.modules})))"


def loaded_by(code: str) -> set[str]:
    done = subprocess.run([sys.executable, "-c", code + LOADED], capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines()[-1].split())


HELP = "import sys; sys.argv = ['vaemon', {}]\nfrom vaemon.cli import main\ntry: main()\nexcept SystemExit: pass\n"


@pytest.mark.parametrize(
    ("code", "never"),
    [
        ("import vaemon", {"torch", "textual", "rich", "scipy", "numpy", "h5py"}),
        ("from vaemon import Recorder", {"torch", "textual", "rich", "scipy", "plotext"}),
        ("from vaemon import watch_encoder", {"torch", "lightning", "textual", "rich", "scipy", "plotext"}),
        ("from vaemon import list_runs; list_runs()", {"torch", "textual", "rich", "scipy", "numpy", "h5py"}),
        ("import vaemon.watch.app", {"torch", "scipy", "plotext", "h5py"}),
        ("import vaemon.watch.export.animation, vaemon.watch.export.svg", {"PIL", "torch", "textual", "h5py"}),
        ("import vaemon.source.open, vaemon.view.fold", {"torch", "scipy", "textual", "rich"}),
        ("import trainer.command", {"torch", "scipy"}),
        ("import analysis.command", {"torch", "scipy", "plotext"}),
        (HELP.format("'--help'"), {"numpy", "h5py", "torch", "textual"}),
        (HELP.format("'mv', 'nothing', 'x'"), {"numpy", "h5py", "torch", "textual"}),
        (HELP.format("'export', '--help'"), {"numpy", "h5py", "torch", "textual", "google", "pyarrow", "crc32c"}),
        (HELP.format("'import', 'tensorboard', '--help'"), {"numpy", "h5py", "torch", "google", "rich"}),
        (
            HELP.format("'import', 'tensorboard', '/dev/null', '--run', 'x'"),
            {"torch", "textual", "scipy", "PIL", "pyarrow", "tensorboard"},
        ),
        (HELP.format("'doctor', '--help'"), {"numpy", "h5py", "torch", "textual", "rich"}),
        (HELP.format("'doctor', '--json'"), {"torch", "scipy", "textual", "PIL"}),
        (HELP.format("'watch', '--help'"), {"torch", "scipy", "textual"}),
        (HELP.format("'train', '--help'"), {"torch", "scipy", "textual"}),
        (HELP.format("'data', 'celeba', '--to', '/dev/null'"), {"torch", "numpy", "h5py", "textual"}),
        (HELP.format("'analyze', '--help'"), {"torch", "scipy", "textual"}),
        (HELP.format("'fid', '--help'"), {"torch", "scipy", "numpy", "textual"}),
        (HELP.format("'sample', '--help'"), {"torch", "numpy", "scipy", "textual", "PIL"}),
        ("import analysis.pictures.files, analysis.pictures.terminal", {"torch", "scipy", "textual", "h5py", "PIL"}),
    ],
    ids=lambda value: value[:60].replace("\n", " ") if isinstance(value, str) else "",
)
def test_what_is_not_needed_is_not_loaded(code, never):
    assert not loaded_by(code) & never
