import torch

from trainer import posteriors
from trainer.networks.vae import images_to_input
from trainer.posteriors import images_to_posteriors
from trainer.stages import image_stage


def test_all_images_are_encoded_in_evaluation_mode_whatever_the_chunk(tiny, pixels, monkeypatch):
    settings = ["network=resnet", "network.base_dim=2", "network.num_scale=2", "network.fc_dim=4"]
    network = image_stage(tiny(*settings), pixels, torch.device("cpu")).network
    images = torch.from_numpy(pixels)
    network.encode(images_to_input(images))  # gives the batch norm some statistics
    network.train()

    whole = images_to_posteriors(network, images)
    monkeypatch.setattr(posteriors, "CHUNK", 7)
    parts = images_to_posteriors(network, images)
    assert network.training
    assert whole[0].shape == whole[1].shape == (40, 3)
    torch.testing.assert_close(parts, whole)
    torch.testing.assert_close(network.eval().encode(images_to_input(images)), whole)
    assert not whole[0].requires_grad


def test_it_gives_up_when_told(tiny_stage, pixels):
    assert images_to_posteriors(tiny_stage().network, torch.from_numpy(pixels), lambda: True) is None
