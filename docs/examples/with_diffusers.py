"""An AutoencoderKL of diffusers, recorded per channel of its latents: `python docs/examples/with_diffusers.py`."""

import torch
from diffusers import AutoencoderKL

from vaemon import Recorder
from vaemon.adapters.diffusers import watch_autoencoder

STEPS, BATCH = 40, 8


def blobs(count):
    """Grey images (count, 1, 32, 32), from 0 to 1, of one bright disc each, somewhere."""
    y, x = torch.meshgrid(torch.arange(32), torch.arange(32), indexing="ij")
    middle = 8 + 16 * torch.rand(count, 2, 1, 1)
    return torch.sigmoid(6 - ((x - middle[:, 0]) ** 2 + (y - middle[:, 1]) ** 2).sqrt())[:, None]


if __name__ == "__main__":
    torch.manual_seed(0)
    vae = AutoencoderKL(
        in_channels=1,
        out_channels=1,
        down_block_types=("DownEncoderBlock2D",) * 2,
        up_block_types=("UpDecoderBlock2D",) * 2,
        block_out_channels=(16, 32),
        norm_num_groups=8,
        latent_channels=4,
    )
    optimizer = torch.optim.AdamW(vae.parameters(), lr=1e-3)
    with Recorder("with-diffusers", config=dict(vae.config), total_steps=STEPS) as recorder:
        watch_autoencoder(vae, recorder, optimizer=optimizer)
        for _ in range(STEPS):
            x = blobs(BATCH)
            posterior = vae.encode(x).latent_dist
            loss = (vae.decode(posterior.sample()).sample - x).square().mean() + 1e-4 * posterior.kl().mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
