"""A VAE in a loop of Hugging Face Accelerate, recorded: `python docs/examples/with_accelerate.py`."""

import torch
from accelerate import Accelerator
from accelerate.utils import set_seed
from torch import nn
from torch.utils.data import DataLoader

import vaemon.adapters.accelerate  # noqa: F401  # makes "vaemon" known to Accelerate

LATENTS, GAMMA, EPOCHS = 8, 0.3, 20


class Encoder(nn.Module):
    """Points to means and log-variances."""

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(20, 64), nn.ReLU(), nn.Linear(64, 2 * LATENTS))

    def forward(self, x):
        """Means and log-variances of the latents, (batch, LATENTS) each."""
        return self.layers(x).chunk(2, dim=1)


class VAE(nn.Module):
    """Points to their mean squared error and KL."""

    def __init__(self):
        super().__init__()
        self.encoder = Encoder()
        self.decoder = nn.Sequential(nn.Linear(LATENTS, 64), nn.ReLU(), nn.Linear(64, 20))

    def forward(self, x):
        """Mean squared error and KL of a batch."""
        mean, log_variance = self.encoder(x)
        z = mean + (log_variance / 2).exp() * torch.randn_like(mean)
        kl = 0.5 * (mean**2 + log_variance.exp() - log_variance - 1).sum(1).mean()
        return (self.decoder(z) - x).square().mean(), kl


def main():
    """Train; every second batch is a step of the optimizer."""
    set_seed(0)
    # 2,000 points in 20 dimensions that are made from three factors, with noise.
    data = 0.6 * torch.randn(2000, 3) @ torch.randn(3, 20) + 0.1 * torch.randn(2000, 20)
    vae, loader = VAE(), DataLoader(data, batch_size=50, shuffle=True)
    accelerator = Accelerator(log_with="vaemon", gradient_accumulation_steps=2, cpu=True)
    accelerator.init_trackers(
        "with-accelerate",
        config={"gamma": GAMMA, "lr": 1e-2},
        init_kwargs={"vaemon": {"encoder": vae.encoder, "total_steps": EPOCHS * len(loader) // 2}},
    )
    vae, optimizer, loader = accelerator.prepare(vae, torch.optim.Adam(vae.parameters(), lr=1e-2), loader)
    step = 0
    for epoch in range(EPOCHS):
        for x in loader:
            with accelerator.accumulate(vae):
                mse, kl = vae(x)
                loss = 20 * mse / (2 * GAMMA**2) + kl
                accelerator.backward(loss)
                optimizer.step()
                optimizer.zero_grad()
            if accelerator.sync_gradients:
                step += 1
                accelerator.log({"loss": loss, "mse": mse, "kl": kl, "gamma": GAMMA, "epoch": epoch}, step=step)
    accelerator.end_training()


if __name__ == "__main__":
    main()
