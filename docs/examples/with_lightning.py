"""A VAE trained by PyTorch Lightning, recorded: `python docs/examples/with_lightning.py`.

`import pytorch_lightning as L` works as well.
"""

import lightning.pytorch as L
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from vaemon.adapters.lightning import VaemonCallback

LATENTS, GAMMA = 8, 0.3


class Encoder(nn.Module):
    """Points to means and log-variances."""

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(20, 64), nn.ReLU(), nn.Linear(64, 2 * LATENTS))

    def forward(self, x):
        """Means and log-variances of the latents, (batch, LATENTS) each."""
        return self.layers(x).chunk(2, dim=1)


class VAE(L.LightningModule):
    """A VAE as one writes it for Lightning; nothing in it knows of vaemon."""

    def __init__(self, lr=1e-2):
        super().__init__()
        self.save_hyperparameters()
        self.encoder = Encoder()
        self.decoder = nn.Sequential(nn.Linear(LATENTS, 64), nn.ReLU(), nn.Linear(64, 20))

    def losses(self, batch):
        """Mean squared error and KL of a batch."""
        (x,) = batch
        mean, log_variance = self.encoder(x)
        z = mean + (log_variance / 2).exp() * torch.randn_like(mean)
        kl = 0.5 * (mean**2 + log_variance.exp() - log_variance - 1).sum(1).mean()
        return (self.decoder(z) - x).square().mean(), kl

    def training_step(self, batch):
        """The loss of a batch; what is logged becomes scalars of the run."""
        mse, kl = self.losses(batch)
        self.log_dict({"mse": mse, "kl": kl})
        return 20 * mse / (2 * GAMMA**2) + kl

    def validation_step(self, batch):
        """What a validation logs becomes a row of the epoch table."""
        mse, kl = self.losses(batch)
        self.log_dict({"val_mse": mse, "val_kl": kl})

    def configure_optimizers(self):
        """Adam, its learning rate falling step by step."""
        optimizer = torch.optim.Adam(self.parameters(), lr=self.hparams.lr)
        schedule = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.995)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}


if __name__ == "__main__":
    L.seed_everything(0)
    # 2,000 points in 20 dimensions that are made from three factors, with noise.
    data = 0.6 * torch.randn(2000, 3) @ torch.randn(3, 20) + 0.1 * torch.randn(2000, 20)
    trainer = L.Trainer(
        max_epochs=20,
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        callbacks=[VaemonCallback("with-lightning", encoder="encoder")],
    )
    trainer.fit(
        VAE(),
        DataLoader(TensorDataset(data[:1600]), batch_size=100, shuffle=True),
        DataLoader(TensorDataset(data[1600:]), batch_size=100),
    )
