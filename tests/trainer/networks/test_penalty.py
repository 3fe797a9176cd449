"""Which kernels the l2 regularisation is of, and how much it adds."""

import numpy as np
import pytest
import torch
from torch import nn

from trainer.config import Config, Network
from trainer.loop import train_batch
from trainer.networks.build import build
from trainer.networks.spectral import plain_weight
from trainer.runs import Run
from trainer.training import train
from vaemon import open_run


def make(name="resnet", **network):
    settings = Network(name=name, base_dim=2, conv_dim=2, fc_dim=4, latents=3, num_scale=3, **network)
    return build(Config(network=settings), 1, (16, 16, 3), torch.Generator().manual_seed(0))


def squares(layers) -> float:
    return sum((plain_weight(layer).detach().numpy().astype(np.float64) ** 2).sum() for layer in layers)


def convolutions(module, kind):
    return [each for each in module.modules() if type(each) is kind]


def test_without_a_coefficient_there_is_none():
    assert make().penalty() is None


def test_down_is_the_encoders_strided_convolutions():
    network = make(l2_down=0.5)
    layers = [each for each in convolutions(network.encoder, nn.Conv2d) if each.stride == (2, 2)]
    assert [tuple(each.weight.shape[:2]) for each in layers] == [(4, 2), (8, 4)]  # between three scales
    assert network.penalty().item() == pytest.approx(0.5 * squares(layers), rel=1e-5)


def test_up_is_the_decoders_transposed_convolutions():
    network = make(l2_up=0.5)
    layers = convolutions(network.decoder, nn.ConvTranspose2d)
    assert len(layers) == 3  # 2 to 4, 8, 16
    assert network.penalty().item() == pytest.approx(0.5 * squares(layers), rel=1e-5)


def test_scale_is_every_convolution_of_the_decoders_scale_blocks_and_not_the_last():
    network = make(l2_scale=0.5)
    *layers, last = convolutions(network.decoder, nn.Conv2d)
    assert last.weight.shape[0] == 3
    assert len(layers) == 3 * 3  # two and a shortcut at each side
    assert network.penalty().item() == pytest.approx(0.5 * squares(layers), rel=1e-5)


@pytest.mark.parametrize(("name", "down", "up"), [("infogan", 2, 2), ("wae", 3, 3)])
def test_the_other_networks_have_down_and_up(name, down, up):
    network = make(name, l2_down=0.1, l2_up=10.0, l2_scale=1e9)
    strided = [each for each in network.modules() if getattr(each, "stride", 1) == (2, 2)]
    assert len(strided) == down + up
    expected = 0.1 * squares(strided[:down]) + 10.0 * squares(strided[down:])
    assert network.penalty().item() == pytest.approx(expected, rel=1e-5)


def test_dense_has_no_such_layers():
    assert make("dense", l2_down=1.0, l2_up=1.0, l2_scale=1.0).penalty() is None


def test_coefficients_add_up_and_the_gradient_is_two_c_w():
    network = make(l2_down=0.25, l2_up=0.5)
    network.penalty().backward()
    for layer in convolutions(network.encoder, nn.Conv2d):
        if layer.stride == (2, 2):
            torch.testing.assert_close(layer.weight.grad, 2 * 0.25 * layer.weight.detach())
        else:
            assert layer.weight.grad is None
        assert layer.bias.grad is None
    for layer in convolutions(network.decoder, nn.ConvTranspose2d):
        torch.testing.assert_close(layer.weight.grad, 2 * 0.5 * layer.weight.detach())


RESNET = ("network=resnet", "network.base_dim=2", "network.num_scale=2", "network.fc_dim=4")


def test_it_is_part_of_the_loss_and_recorded(tiny_stage):
    plain, penalised = tiny_stage(*RESNET), tiny_stage(*RESNET, "network.l2_down=1", "network.l2_up=1")
    without, found = (train_batch(stage, stage.shuffle()[0]) for stage in (plain, penalised))
    assert "l2" not in without
    assert found["l2"].item() > 0
    assert not found["l2"].requires_grad
    assert found["loss"].item() == pytest.approx(without["loss"].item() + found["l2"].item(), rel=1e-6)
    assert found["mse"].item() == without["mse"].item()
    moved = zip(plain.network.state_dict().items(), penalised.network.state_dict().items(), strict=True)
    strided = {"encoder.scales.2.weight", "decoder.scales.0.weight", "decoder.scales.2.weight"}
    assert strided <= {
        name for (name, one), (_, other) in moved if torch.is_tensor(one) and not torch.equal(one, other)
    }


def test_a_run_has_it_as_a_scalar_of_the_first_stage(runs, screen, tiny):
    assert train(Run("a", runs / "a", "shapes", tiny(*RESNET, "network.l2_up=1"), False), screen, lambda: "")
    with open_run("a", runs) as run:
        found = run.series("l2", stage=1)
        assert found.step.tolist() == [1, 2, 3, 4, 5, 6, 7, 8]
        assert (found.mean > 0).all()
        assert "l2" not in run.channels(2)
