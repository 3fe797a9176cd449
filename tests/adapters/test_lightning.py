"""The callback in real fits, of both roots of PyTorch Lightning."""

import importlib
import subprocess
import sys

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader, TensorDataset

from vaemon import open_run
from vaemon.adapters.lightning import VaemonCallback
from vaemon.errors import RunExists, UsageError


@pytest.fixture(params=["lightning.pytorch", "pytorch_lightning"])
def root(request):
    """Lightning, by each of its names."""
    return importlib.import_module(request.param)


@pytest.fixture
def fit(root, make_vae, tmp_path):
    """fit(callback, **trainer's arguments) -> the trainer; 40 points in batches of 5, so 8 batches an epoch."""

    class Module(make_vae(root.LightningModule)):
        def __init__(self, lr=0.1, fails_at=None, batches=()):
            super().__init__()
            self.save_hyperparameters(ignore=["batches"])
            self.batches = batches

        def training_step(self, batch, batch_idx):
            mse, kl = self.losses(batch[0])
            self.log("mse", mse)
            self.log("both", kl, on_step=True, on_epoch=True)
            self.log("of_epoch", mse, on_step=False, on_epoch=True)
            if self.global_step == self.hparams.fails_at:
                raise ArithmeticError("it diverged")
            return mse + kl

        def validation_step(self, batch, batch_idx):
            self.log("val_mse", self.losses(batch[0])[0])

        def configure_optimizers(self):
            optimizer = torch.optim.SGD(self.parameters(), lr=self.hparams.lr)
            schedule = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.5)
            return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def fit(callback, ckpt_path=None, fails_at=None, **arguments):
        root.seed_everything(0, verbose=False)
        data = DataLoader(TensorDataset(torch.randn(40, 6)), batch_size=5)
        usual = {"accelerator": "cpu", "logger": False, "enable_progress_bar": False, "enable_model_summary": False}
        usual |= {"max_epochs": 2, "enable_checkpointing": False, "default_root_dir": tmp_path}
        trainer = root.Trainer(callbacks=[callback], **{**usual, **arguments})
        trainer.fit(Module(fails_at=fails_at), data, data, ckpt_path=ckpt_path)
        return trainer

    return fit


def test_the_example(example, assert_is_whole, assert_has_found):
    run = example("lightning")
    assert_is_whole(run, 320, 8)
    assert_has_found(run)
    assert run.info().stages[0].steps_per_epoch == 16
    assert run.info().config["lr"] == 1e-2
    np.testing.assert_allclose(run.series("kl").mean, run.series("latent_kl").mean.sum(1), rtol=1e-4)
    assert len([each for each in run.evaluations() if "val_mse" in each.values]) == 20


def test_a_step_an_update_whatever_is_accumulated_and_validated(runs, fit):
    fit(VaemonCallback("run42", encoder="encoder"), accumulate_grad_batches=3, val_check_interval=2)
    with open_run("run42") as run:
        assert run.series("mean_variance").step.tolist() == [1, 2, 3, 4, 5, 6]  # of 8 batches an epoch: 3, 3, 2
        assert run.info().stages[0].steps_per_epoch == 3
        assert run.info().stages[0].total_steps == 6
        assert run.series("epoch").mean.tolist() == [0, 0, 0, 1, 1, 1]
        np.testing.assert_allclose(run.series("lr").mean, 0.1 * 0.5 ** np.arange(6), rtol=1e-6)
        assert run.info().state.value == "finished"
        assert run.info().config["trainer"]["accumulate_grad_batches"] == 3


def test_what_is_logged_is_recorded_where_it_belongs(runs, fit):
    fit(VaemonCallback("run42", encoder="encoder"))
    with open_run("run42") as run:
        scalars = set(run.channels())
        assert {"mse", "both", "loss", "lr"} <= scalars
        assert not {"val_mse", "of_epoch", "both_step", "both_epoch"} & scalars
        np.testing.assert_allclose(run.series("loss").mean, run.series("mse").mean + run.series("both").mean, rtol=1e-5)
        np.testing.assert_allclose(run.series("kl").mean, run.series("both").mean, rtol=1e-5)
        told = {each.step: each.values for each in run.evaluations()}
        assert sorted(told) == [8, 16]
        mse = run.series("mse").mean
        np.testing.assert_allclose(
            [told[8]["of_epoch"], told[16]["of_epoch"]], [mse[:8].mean(), mse[8:].mean()], rtol=1e-5
        )
        assert all("val_mse" in values for values in told.values())


def test_a_fit_goes_on_from_its_checkpoint_with_one_history(runs, fit, tmp_path):
    trainer = fit(VaemonCallback(encoder="encoder"), max_epochs=1)
    name = trainer.callbacks[0].run
    assert name.startswith("lightning-")
    trainer.save_checkpoint(tmp_path / "at8.ckpt")
    fit(VaemonCallback(encoder="encoder"), ckpt_path=tmp_path / "at8.ckpt", max_epochs=3)
    assert [each.name for each in runs.iterdir()] == [name]
    with open_run(name) as run:
        assert run.series("mean_variance").step.tolist() == list(range(1, 25))
        assert run.series("epoch").mean.tolist() == [0] * 8 + [1] * 8 + [2] * 8
        assert run.info().stages[0].total_steps == 24


def test_a_run_is_not_begun_twice(runs, fit):
    fit(VaemonCallback("run42"), max_epochs=1)
    with pytest.raises(RunExists):
        fit(VaemonCallback("run42"), max_epochs=1)


def test_a_training_that_fails_is_a_run_that_failed(runs, fit):
    with pytest.raises(ArithmeticError):
        fit(VaemonCallback("run42", encoder="encoder"), fails_at=5)
    with open_run("run42") as run:
        assert (run.info().state.value, run.info().reason) == ("failed", "ArithmeticError: it diverged")
        assert run.series("mse").step.tolist() == [1, 2, 3, 4, 5]


def test_an_encoder_that_is_not_there_is_told(runs, fit):
    with pytest.raises(UsageError, match="has no such module; it has encoder, decoder"):
        fit(VaemonCallback("run42", encoder="model.encoder"))
    with open_run("run42") as run:
        assert run.info().state.value == "failed"


DISTRIBUTED = """
import torch, lightning.pytorch as L
from torch.utils.data import DataLoader, TensorDataset
from docs.examples.with_lightning import VAE
from vaemon.adapters.lightning import VaemonCallback

if __name__ == "__main__":
    trainer = L.Trainer(max_epochs=1, accelerator="cpu", devices=2, strategy="ddp_spawn", logger=False,
        enable_checkpointing=False, enable_progress_bar=False, callbacks=[VaemonCallback("run42", encoder="encoder")])
    trainer.fit(VAE(), DataLoader(TensorDataset(torch.randn(80, 20)), batch_size=10))
"""


def test_of_several_processes_the_first_records(runs, tmp_path, pytestconfig):
    script = tmp_path / "distributed.py"
    script.write_text(DISTRIBUTED)
    environment = {"PYTHONPATH": str(pytestconfig.rootpath), "VAEMON_RUNS": str(runs), "OMP_NUM_THREADS": "1"}
    done = subprocess.run([sys.executable, str(script)], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    with open_run("run42") as run:
        assert run.series("mean_variance").step.tolist() == [1, 2, 3, 4]
        assert run.info().state.value == "finished"
