"""A VAE trained by the Hugging Face Trainer, recorded: `python docs/examples/with_transformers.py`."""

import tempfile

import torch
from torch import nn
from transformers import Trainer, TrainingArguments, set_seed

from vaemon.adapters.transformers import VaemonCallback

LATENTS, GAMMA = 8, 0.3


class Encoder(nn.Module):
    """Points to means and log-variances."""

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(20, 64), nn.ReLU(), nn.Linear(64, 2 * LATENTS))

    def forward(self, x):
        """Means and log-variances of the latents, (batch, LATENTS) each."""
        return self.layers(x).chunk(2, dim=1)


class VAE(nn.Module):
    """A VAE as the Trainer wants it; the numbers among what it gives back become scalars of the run."""

    def __init__(self):
        super().__init__()
        self.encoder = Encoder()
        self.decoder = nn.Sequential(nn.Linear(LATENTS, 64), nn.ReLU(), nn.Linear(64, 20))

    def forward(self, x, return_loss=True):
        """Loss, mean squared error, KL and reconstructions of a batch."""
        mean, log_variance = self.encoder(x)
        z = mean + (log_variance / 2).exp() * torch.randn_like(mean)
        reconstruction = self.decoder(z)
        mse = (reconstruction - x).square().mean()
        kl = 0.5 * (mean**2 + log_variance.exp() - log_variance - 1).sum(1).mean()
        return {"loss": 20 * mse / (2 * GAMMA**2) + kl, "mse": mse, "kl": kl, "reconstruction": reconstruction}


if __name__ == "__main__":
    set_seed(0)
    # 2,000 points in 20 dimensions that are made from three factors, with noise.
    points = 0.6 * torch.randn(2000, 3) @ torch.randn(3, 20) + 0.1 * torch.randn(2000, 20)
    data = [{"x": x} for x in points]
    with tempfile.TemporaryDirectory() as folder:
        arguments = TrainingArguments(
            folder,
            num_train_epochs=20,
            per_device_train_batch_size=50,
            gradient_accumulation_steps=2,
            learning_rate=1e-2,
            logging_steps=10,
            eval_strategy="epoch",
            label_names=[],
            prediction_loss_only=True,
            save_strategy="no",
            report_to="none",
            use_cpu=True,
            disable_tqdm=True,
        )
        Trainer(
            VAE(),
            arguments,
            train_dataset=data[:1600],
            eval_dataset=data[1600:],
            callbacks=[VaemonCallback("with-transformers", encoder="encoder")],
        ).train()
