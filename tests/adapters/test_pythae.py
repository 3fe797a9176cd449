"""The callback in real trainings of pythae."""

import numpy as np
import pytest
import torch
from pythae.models import VAE, Adversarial_AE, Adversarial_AE_Config, BetaVAE, BetaVAEConfig, VAEConfig
from pythae.trainers import AdversarialTrainer, AdversarialTrainerConfig, BaseTrainer, BaseTrainerConfig

from vaemon import open_run
from vaemon.adapters.pythae import VaemonCallback


def test_the_example(example, assert_is_whole):
    run = example("pythae")
    assert_is_whole(run, 160, 8)
    assert run.info().stages[0].steps_per_epoch == 16
    assert run.info().config["model"] == "VAE"
    assert run.info().config["training"]["learning_rate"] == 3e-3
    np.testing.assert_allclose(run.series("reg_loss").mean, run.series("latent_kl").mean.sum(1), rtol=1e-4)
    np.testing.assert_allclose(
        run.series("loss").mean, run.series("recon_loss").mean + run.series("reg_loss").mean, rtol=1e-5
    )
    np.testing.assert_allclose(run.series("lr").mean, 3e-3, rtol=1e-6)
    assert run.series("epoch").mean.tolist() == [epoch for epoch in range(10) for _ in range(16)]
    told = {each.step: each.values for each in run.evaluations()}
    assert sorted(told) == list(range(16, 161, 16))
    loss = run.series("loss").mean.reshape(10, 16).mean(1)
    np.testing.assert_allclose([told[step]["train_epoch_loss"] for step in sorted(told)], loss, rtol=1e-5)
    assert all(np.isfinite(values["eval_epoch_loss"]) for values in told.values())


def test_a_model_that_is_kept_at_its_best_and_saved_is_none_of_the_run(runs, tmp_path):
    model = BetaVAE(BetaVAEConfig(input_dim=(6,), latent_dim=3, beta=2.0))
    config = BaseTrainerConfig(
        str(tmp_path), num_epochs=3, per_device_train_batch_size=10, steps_saving=1, no_cuda=True
    )
    data = _dataset(40)
    BaseTrainer(model, data, data, config, callbacks=[VaemonCallback("run42")]).train()
    with open_run("run42") as run:
        assert run.series("mean_variance").step.tolist() == list(range(1, 13))
        assert run.info().state.value == "finished"
    assert not model.encoder._forward_hooks
    assert not model._forward_hooks


def test_of_two_optimizers_a_step_is_one(runs, tmp_path):
    model = Adversarial_AE(Adversarial_AE_Config(input_dim=(6,), latent_dim=3))
    config = AdversarialTrainerConfig(
        str(tmp_path),
        num_epochs=1,
        per_device_train_batch_size=10,
        autoencoder_learning_rate=0.01,
        discriminator_learning_rate=0.02,
        no_cuda=True,
    )
    AdversarialTrainer(model, _dataset(40), _dataset(20), config, callbacks=[VaemonCallback("run42")]).train()
    with open_run("run42") as run:
        assert run.series("mean_variance").step.tolist() == [1, 2, 3, 4]
        np.testing.assert_allclose(run.series("lr").mean, 0.01, rtol=1e-6)


def test_a_training_that_fails_is_a_run_that_did_not_finish(runs, tmp_path):
    model = VAE(VAEConfig(input_dim=(6,), latent_dim=3))
    config = BaseTrainerConfig(str(tmp_path), num_epochs=2, per_device_train_batch_size=10, no_cuda=True)
    callback = VaemonCallback("run42")
    data = _dataset(40)
    data.data[25] = torch.nan
    with pytest.raises(ArithmeticError):
        BaseTrainer(model, data, None, config, callbacks=[callback]).train()
    callback.close()
    with open_run("run42") as run:
        assert run.info().state.value == "stopped"


def _dataset(count):
    from pythae.data.datasets import BaseDataset

    return BaseDataset(torch.rand(count, 6), torch.ones(count))
