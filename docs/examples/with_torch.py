"""A VAE in a plain PyTorch loop, recorded: `python docs/examples/with_torch.py`, and beside it `vaemon watch plain`."""

import torch
from torch import nn

from vaemon import Recorder, watch_encoder

torch.manual_seed(0)
# 2,000 points in 20 dimensions that are made from three factors, with noise.
data = 0.6 * torch.randn(2000, 3) @ torch.randn(3, 20) + 0.1 * torch.randn(2000, 20)
LATENTS, GAMMA, EPOCHS, BATCH = 8, 0.3, 20, 100


class Encoder(nn.Module):
    """Points to means and log-variances."""

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(20, 64), nn.ReLU(), nn.Linear(64, 2 * LATENTS))

    def forward(self, x):
        """Means and log-variances of the latents, (batch, LATENTS) each."""
        return self.layers(x).chunk(2, dim=1)


encoder = Encoder()
decoder = nn.Sequential(nn.Linear(LATENTS, 64), nn.ReLU(), nn.Linear(64, 20))
optimizer = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], lr=1e-2)
steps = len(data) // BATCH

with Recorder("plain", config={"gamma": GAMMA}, total_steps=EPOCHS * steps, steps_per_epoch=steps) as recorder:
    watched = watch_encoder(encoder)
    step = 0
    for _ in range(EPOCHS):
        for x in data[torch.randperm(len(data))].split(BATCH):
            mean, log_variance = encoder(x)
            z = mean + (log_variance / 2).exp() * torch.randn_like(mean)
            mse = (decoder(z) - x).square().mean()
            kl = 0.5 * (mean**2 + log_variance.exp() - log_variance - 1).sum(1).mean()
            loss = 20 * mse / (2 * GAMMA**2) + kl
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            step += 1
            recorder.log(step, **watched.take(), mse=mse, kl=kl, loss=loss, gamma=GAMMA)
