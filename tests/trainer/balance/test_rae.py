"""The regularised autoencoders, against their definition said slowly."""

import numpy as np
import pytest
import torch

from trainer import config
from trainer.balance.registry import build_balance
from trainer.balance.strategy import Plan
from trainer.checkpoint import restore_vae, save
from trainer.loop import train_batch
from trainer.networks.vae import VAE
from trainer.objective import Pass
from trainer.options import WITHOUT_PRIOR
from trainer.settings import load_preset
from trainer.stages import image_stage
from vaemon.errors import UsageError

EVERY = pytest.mark.parametrize("name", WITHOUT_PRIOR)
OFF = "stage2.enabled=false"
RESNET = ("network=resnet", "network.base_dim=2", "network.num_scale=2", "network.fc_dim=4")
INFOGAN = ("network=infogan", "network.conv_dim=2")
WAE = ("network=wae", "network.conv_dim=2")


class Linear(VAE):
    """z = A x, x̂ = W z + b: everything of it is known in closed form."""

    decoding = ("decoder",)

    def __init__(self):
        super().__init__(3)
        self.encoder = torch.nn.Linear(5, 3, bias=False)
        self.decoder = torch.nn.Linear(3, 5)

    def encode(self, x):
        mean = self.encoder(x)
        return mean, torch.zeros_like(mean)

    def decode(self, z):
        return self.decoder(z)


def passed(network, balance, count=7):
    noise = torch.Generator().manual_seed(3)
    x = torch.rand(count, 5, generator=noise)
    mean, log_variance = network.encode(x)
    z = balance.code(mean, log_variance, noise)
    return Pass(x, mean, log_variance, z, network.decode(z)), noise


def make(name, **options):
    return build_balance(config.Balance(name=name, **options), Plan(100, 10))


@EVERY
def test_the_code_is_the_mean_and_no_noise_is_drawn(name):
    noise = torch.Generator().manual_seed(0)
    before = noise.get_state()
    mean = torch.rand(4, 3)
    assert make(name).code(mean, torch.zeros(4, 3), noise) is mean
    assert torch.equal(noise.get_state(), before)


@pytest.mark.parametrize("name", ["rae-l2", "rae-sn"])
def test_the_loss_is_by_the_definition(name):
    torch.manual_seed(0)
    network, balance = Linear(), make(name, code_weight=0.3, decoder_weight=0.02)
    batch, noise = passed(network, balance)
    weighed = balance.weigh(balance.terms(batch, network, noise), 99.0)
    x, z, x_hat = (each.detach().double().numpy() for each in (batch.x, batch.z, batch.x_hat))
    error = np.mean([sum((a - b) ** 2) for a, b in zip(x, x_hat, strict=True)])
    norm = np.mean([0.5 * sum(each**2) for each in z])
    theta = sum(float((each.detach().double() ** 2).sum()) for each in network.decoder.parameters())
    expected = error + 0.3 * norm + (0.02 * theta if name == "rae-l2" else 0.0)
    assert weighed.loss.item() == pytest.approx(expected, rel=1e-5)
    assert weighed.weights["code_norm"].item() == pytest.approx(norm, rel=1e-5)
    if name == "rae-l2":
        assert weighed.weights["decoder_penalty"].item() == pytest.approx(theta, rel=1e-5)
    assert not {"gamma", "beta", "kl_weight"} & set(weighed.weights)


def test_a_gradient_penalty_is_the_squared_norm_of_the_decoders_jacobian_in_the_mean():
    torch.manual_seed(0)
    network, balance = Linear(), make("rae-gp")
    batch, noise = passed(network, balance, count=4000)
    penalty = balance.terms(batch, network, noise).penalty
    norm = network.decoder.weight.square().sum().item()
    # vᵀJ has the mean norm; its spread over 4,000 samples is a few percent of it at most.
    assert penalty.item() == pytest.approx(norm, rel=0.1)
    (gradient,) = torch.autograd.grad(penalty, network.decoder.weight)
    torch.testing.assert_close(gradient, 2 * network.decoder.weight.detach(), rtol=0.2, atol=0.1)


def test_a_gradient_penalty_of_one_probe_by_hand():
    torch.manual_seed(0)
    network, balance = Linear(), make("rae-gp")
    batch, noise = passed(network, balance)
    twin = torch.Generator()
    twin.set_state(noise.get_state())
    probe = torch.randn(7, 5, generator=twin)
    by_hand = (probe @ network.decoder.weight).square().sum(1).mean()
    assert balance.terms(batch, network, noise).penalty.item() == pytest.approx(by_hand.item(), rel=1e-5)


@pytest.mark.parametrize("network", [(), RESNET, INFOGAN, WAE], ids=["dense", "resnet", "infogan", "wae"])
def test_a_spectral_decoder_comes_to_singular_values_of_one_and_only_it(tiny_stage, network):
    stage = tiny_stage("balance=rae-sn", OFF, *network)
    trained(stage, 60)
    stage.network.eval()
    layers = {
        name: layer
        for name, layer in stage.network.named_modules()
        if isinstance(layer, torch.nn.Linear | torch.nn.Conv2d | torch.nn.ConvTranspose2d)
    }
    decoding = {name for name in layers if name.split(".")[0] in stage.network.decoding}
    encoding = {"maps.0", "maps.2", "features.0", "heads"} if "network=infogan" in network else set()
    assert {name for name, layer in layers.items() if hasattr(layer, "parametrizations")} == decoding | encoding
    for name in decoding:
        weight = layers[name].weight.detach()
        assert torch.linalg.matrix_norm(weight.flatten(1), 2).item() == pytest.approx(1.0, abs=0.05)


def trained(stage, steps):
    rows = []
    for _ in range(steps):
        rows.append(train_batch(stage, stage.shuffle()[stage.step % stage.steps_per_epoch]))
        stage.step += 1
    return rows


@EVERY
@pytest.mark.parametrize("network", [(), RESNET], ids=["dense", "resnet"])
def test_a_stage_saved_and_resumed_trains_on_bit_for_bit(tiny_stage, name, network):
    make_stage = lambda: tiny_stage(f"balance={name}", OFF, *network)  # noqa: E731
    straight, halted, resumed = make_stage(), make_stage(), make_stage()
    rows = trained(straight, 7)
    trained(halted, 3)
    resumed.load_state_dict(halted.state_dict())
    for one, other in zip(trained(resumed, 4), rows[3:], strict=True):
        assert one.keys() == other.keys()
        assert all(torch.equal(one[key], other[key]) for key in one)


@EVERY
def test_nothing_that_needs_a_posterior_is_recorded(tiny_stage, name):
    stage = tiny_stage(f"balance={name}", OFF)
    (row,) = trained(stage, 1)
    assert set(row) == {"mean_mu", "mu_squared", "mse", "loss", "code_norm"} | (
        set() if name == "rae-sn" else {"decoder_penalty"}
    )
    assert not set(row) & set(stage.balance.undefined)
    assert not any(each.requires_grad for each in row.values())


@EVERY
def test_nothing_in_a_step_waits_for_the_device(tiny_stage, name, nothing_waits):
    stage = tiny_stage(f"balance={name}", OFF)
    rows = stage.shuffle()[0]
    train_batch(stage, rows)
    with nothing_waits():
        train_batch(stage, rows)


def test_a_spectral_decoder_is_drawn_under_the_seed_and_restored_from_a_checkpoint(tiny, tiny_stage, tmp_path):
    one, other = (tiny_stage("balance=rae-sn", OFF).network.state_dict() for _ in range(2))
    assert all(torch.equal(one[key], other[key]) for key in one if isinstance(one[key], torch.Tensor))
    stage = tiny_stage("balance=rae-sn", OFF)
    trained(stage, 3)
    save(tmp_path, 1, stage.state_dict(), tiny("balance=rae-sn", OFF), (8, 8, 3))
    z = torch.rand(2, 3)
    stage.network.eval()
    with torch.no_grad():
        assert torch.equal(restore_vae(tmp_path).model.decode(z), stage.network.decode(z))


def test_a_network_that_does_not_say_what_its_decoder_is_is_refused():
    class Silent(Linear):
        decoding = ()

    with pytest.raises(UsageError, match="Silent does not say what its decoder is"):
        Silent().decoder_parts()


@EVERY
def test_it_learns_to_reconstruct(tiny, name):
    white = np.full((40, 8, 8, 3), 255, np.uint8)
    settings = tiny(f"balance={name}", "balance.code_weight=1e-4", "stage1.lr=1e-2")
    stage = image_stage(settings, white, torch.device("cpu"))
    mse = [row["mse"].item() for row in trained(stage, 40)]
    assert mse[-1] < 0.1 * mse[0]


@EVERY
def test_what_a_posterior_is_needed_for_is_refused(tiny, name):
    with pytest.raises(UsageError, match=f"balance={name} has no second stage.*--set stage2.enabled=false"):
        tiny(f"balance={name}", "stage2.enabled=true")
    with pytest.raises(UsageError, match=f"balance={name} has no KL for stage1.kl_weight to weigh"):
        tiny(f"balance={name}", "stage1.kl_weight=2")


# The published code's weights for CIFAR-10, of means over 3,072 values and 128 latents: b and l.
PUBLISHED = {"rae-l2": (1e-3, 1e-6), "rae-sn": (0.03, None), "rae-gp": (1e-3, None)}


@EVERY
def test_choosing_it_is_enough(name, tiny, tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text(f'base = "cifar10"\nbalance.name = "{name}"', encoding="utf-8")
    for chosen in (tiny(f"balance={name}"), load_preset(str(file))):
        assert not chosen.stage2.enabled
        b, l2 = PUBLISHED[name]
        assert chosen.balance.code_weight == pytest.approx(2 * b * 3072 / 128, rel=0.05)
        if l2 is not None:
            assert chosen.balance.decoder_weight == pytest.approx(l2 * 3072, rel=0.05)
    assert tiny(f"balance={name}", "balance.code_weight=0.3").balance.code_weight == 0.3
    assert tiny(f"balance={name}", "balance=computed").stage2.enabled


def test_the_weights_are_the_published_codes_brought_to_sums():
    """D ((1/D) SE + b/k ‖z‖² + l ‖θ‖²) is the loss."""
    torch.manual_seed(0)
    network, b, l2 = Linear(), 0.01, 1e-4
    balance = make("rae-l2", code_weight=2 * b * 5 / 3, decoder_weight=l2 * 5)
    batch, noise = passed(network, balance)
    loss = balance.weigh(balance.terms(batch, network, noise), 1.0).loss
    theta = sum(each.square().sum() for each in network.decoder.parameters())
    means = (batch.x - batch.x_hat).square().mean() + b * batch.z.square().mean() + l2 * theta
    torch.testing.assert_close(loss, 5 * means)
