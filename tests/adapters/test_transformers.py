"""The callback in real trainings by the Hugging Face Trainer."""

import numpy as np
import pytest
import torch
from transformers import Trainer, TrainingArguments, set_seed

from vaemon import open_run
from vaemon.adapters.transformers import VaemonCallback


@pytest.fixture
def train(make_vae, tmp_path):
    """train(callback, **arguments) -> the Trainer; 40 points in batches of 5, so 8 batches an epoch."""

    class Vae(make_vae()):
        def __init__(self, fails_at=None):
            super().__init__()
            self.passes, self.fails_at = 0, fails_at

        def forward(self, x, return_loss=True):
            mse, kl = self.losses(x)
            self.passes += self.training
            if self.fails_at == self.passes:
                raise ArithmeticError("it diverged")
            return {"loss": mse + kl, "mse": mse, "kl": kl}

    def train(callback, resume=None, fails_at=None, **arguments):
        set_seed(0)
        data = [{"x": x} for x in torch.randn(40, 6)]
        usual = {"per_device_train_batch_size": 5, "num_train_epochs": 2, "use_cpu": True, "report_to": "none"}
        usual |= {"disable_tqdm": True, "save_strategy": "no", "label_names": [], "prediction_loss_only": True}
        arguments = TrainingArguments(str(tmp_path / "out"), **{**usual, **arguments})
        trainer = Trainer(Vae(fails_at), arguments, train_dataset=data, eval_dataset=data, callbacks=[callback])
        trainer.train(resume_from_checkpoint=resume)
        return trainer

    return train


def test_the_example(example, assert_is_whole, assert_has_found):
    run = example("transformers")
    assert_is_whole(run, 320, 8)
    assert_has_found(run)
    assert run.info().stages[0].steps_per_epoch == 16
    assert run.info().config["training"]["learning_rate"] == 1e-2
    np.testing.assert_allclose(run.series("kl").mean, run.series("latent_kl").mean.sum(1), rtol=1e-4)
    told = {each.step: each.values for each in run.evaluations()}
    assert sorted(told) == list(range(16, 321, 16))
    assert all(np.isfinite(values["loss"]) for values in told.values())


def test_a_step_an_update_whatever_is_accumulated_and_evaluated(runs, train):
    trainer = train(
        VaemonCallback("run42", encoder="encoder"),
        gradient_accumulation_steps=3,
        eval_strategy="steps",
        eval_steps=2,
        logging_steps=1,
        learning_rate=0.1,
        lr_scheduler_type="linear",
    )
    with open_run("run42") as run:
        assert run.series("mean_variance").step.tolist() == [1, 2, 3, 4, 5, 6]  # of 8 batches an epoch: 3, 3, 2
        assert run.series("epoch").mean.tolist() == [0, 0, 0, 1, 1, 1]
        np.testing.assert_allclose(run.series("lr").mean, [0.1 * (1 - step / 6) for step in range(6)], rtol=1e-6)
        np.testing.assert_allclose(run.series("loss").mean, run.series("mse").mean + run.series("kl").mean, rtol=1e-5)
        logged = [each["loss"] for each in trainer.state.log_history if "loss" in each]
        np.testing.assert_allclose(run.series("loss").mean, logged, rtol=1e-3)
        assert np.isfinite(run.series("grad_norm").mean).all()
        assert [each.step for each in run.evaluations()] == [2, 4, 6]
        assert run.info().state.value == "finished"


def test_a_training_goes_on_from_its_checkpoint_with_one_history(runs, train, tmp_path):
    train(VaemonCallback("run42", encoder="encoder"), save_strategy="steps", save_steps=5, max_steps=8)
    train(VaemonCallback("run42", encoder="encoder"), resume=str(tmp_path / "out" / "checkpoint-5"), max_steps=16)
    with open_run("run42") as run:
        assert run.series("mean_variance").step.tolist() == list(range(1, 17))
        assert run.info().stages[0].total_steps == 16
        assert [event.kind for event in run.events() if event.kind == "resume"] == ["resume"]


def test_a_training_that_fails_can_be_closed(runs, train):
    callback = VaemonCallback("run42", encoder="encoder")
    with pytest.raises(ArithmeticError):
        train(callback, fails_at=6)
    callback.close("failed", "it diverged")
    with open_run("run42") as run:
        assert (run.info().state.value, run.info().reason) == ("failed", "it diverged")
        assert run.series("mean_variance").step.tolist() == [1, 2, 3, 4, 5]


def test_without_an_encoder_there_are_its_scalars(runs, train):
    train(VaemonCallback("run42"), num_train_epochs=1)
    with open_run("run42") as run:
        assert run.series("mse").step.tolist() == list(range(1, 9))
        assert "mean_variance" not in run.channels()
