"""A VAE trained by pythae, recorded: `python docs/examples/with_pythae.py`."""

import tempfile

import torch
from pythae.models import VAE, VAEConfig
from pythae.pipelines import TrainingPipeline
from pythae.trainers import BaseTrainerConfig

from vaemon.adapters.pythae import VaemonCallback

if __name__ == "__main__":
    torch.manual_seed(0)
    # 2,000 points in 20 dimensions that are made from three factors, with noise.
    data = torch.randn(2000, 3) @ torch.randn(3, 20) + 0.1 * torch.randn(2000, 20)
    with tempfile.TemporaryDirectory() as folder:
        config = BaseTrainerConfig(
            output_dir=folder,
            num_epochs=10,
            learning_rate=3e-3,
            per_device_train_batch_size=100,
            per_device_eval_batch_size=100,
            no_cuda=True,
        )
        pipeline = TrainingPipeline(VAE(VAEConfig(input_dim=(20,), latent_dim=8)), config)
        pipeline(data[:1600], eval_data=data[1600:], callbacks=[VaemonCallback("with-pythae")])
