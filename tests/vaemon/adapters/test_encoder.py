"""watch_encoder: what is recorded is what the closed forms say, a row a step, and the model is left alone."""

import copy
import pickle

import numpy as np
import pytest
import torch
from torch import nn
from torch.distributions import Normal, kl_divergence
from torch.utils.checkpoint import checkpoint

from vaemon import Recorder, open_run, watch_encoder
from vaemon.errors import UsageError

POSTERIOR = ("mean_variance", "mean_mu", "mu_squared", "latent_kl")


class Encoder(nn.Module):
    """(batch, 6) -> means and log-variances, (batch, 3) each."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(6, 6)

    def forward(self, x):
        return self.layer(x).chunk(2, dim=1)


class Told(nn.Module):
    """Gives back what it is told to."""

    def forward(self, output):
        return output


def closed_form(mean, variance, axes=(0,)):
    """E[σ²], E[μ], E[μ²] and the KL by torch's own closed form, places summed, per latent."""
    mean, variance = mean.double(), variance.double()
    divergence = kl_divergence(Normal(mean, variance.sqrt()), Normal(torch.zeros_like(mean), torch.ones_like(mean)))
    places = mean[0, 0].numel()
    return (variance.mean(axes), mean.mean(axes), (mean**2).mean(axes), divergence.mean(axes) * places)


def assert_are(taken, expected):
    for name, value in zip(POSTERIOR, expected, strict=True):
        np.testing.assert_allclose(taken[name].double().numpy(), value.detach().numpy(), rtol=2e-5, atol=2e-6)


@pytest.fixture
def trained():
    torch.manual_seed(0)
    encoder = Encoder()
    return encoder, torch.optim.SGD(encoder.parameters(), lr=0.1)


def step(encoder, optimizer, x, parts=1):
    optimizer.zero_grad()
    for part in x.chunk(parts):
        mean, log_variance = encoder(part)
        (mean.square().mean() + log_variance.square().mean()).backward()
    optimizer.step()


def test_the_statistics_of_a_pass_are_the_closed_forms():
    mean, log_variance = torch.randn(50, 4), torch.randn(50, 4)
    module = Told()
    watched = watch_encoder(module)
    module((mean, log_variance))
    assert_are(watched.take(), closed_form(mean, log_variance.exp()))


def test_a_latent_that_is_the_prior_has_no_kl_in_half_precision_either():
    module = Told()
    watched = watch_encoder(module)
    module(Normal(torch.zeros(8, 2, dtype=torch.bfloat16), torch.ones(8, 2, dtype=torch.bfloat16)))
    taken = watched.take()
    assert taken["latent_kl"].tolist() == [0, 0]
    assert taken["mean_variance"].dtype == torch.float32


@pytest.mark.parametrize(
    ("shape", "latent_dim"),
    [((6, 4, 5, 7), 1), ((6, 4, 9), 1), ((6, 4, 2, 3, 5), 1), ((6, 9, 4), -1), ((6, 5, 7, 4), 3)],
    ids=["map", "signal", "video", "sequence, latents last", "map, latents last"],
)
def test_places_are_samples_of_their_latent_and_its_kl_is_their_sum(shape, latent_dim):
    mean, variance = torch.randn(shape), torch.rand(shape) + 0.1
    module = Told()
    watched = watch_encoder(module, latent_dim=latent_dim)
    module({"mean": mean, "variance": variance})
    first = mean.movedim(latent_dim, 1), variance.movedim(latent_dim, 1)
    axes = (0, *range(2, len(shape)))
    expected = closed_form(*first, axes)
    taken = watched.take()
    assert taken["mean_mu"].shape == (4,)
    assert_are(taken, expected)


def test_the_sum_over_channels_is_the_kl_of_an_image():
    mean, variance = torch.randn(6, 4, 5, 7), torch.rand(6, 4, 5, 7) + 0.1
    module = Told()
    watched = watch_encoder(module)
    module({"mean": mean, "variance": variance})
    whole = kl_divergence(Normal(mean, variance.sqrt()), Normal(0.0, 1.0)).sum((1, 2, 3)).mean()
    torch.testing.assert_close(watched.take()["latent_kl"].sum(), whole)


def test_parts_of_a_batch_are_weighed_by_their_size():
    mean, variance = torch.randn(10, 4), torch.rand(10, 4) + 0.1
    module = Told()
    watched = watch_encoder(module)
    for begin, end in ((0, 7), (7, 9), (9, 10)):
        module({"mean": mean[begin:end], "variance": variance[begin:end]})
    assert_are(watched.take(), closed_form(mean, variance))
    assert watched.take() == {}


@pytest.mark.parametrize("shape", [(10, 4), (10, 4, 5, 7)])
def test_no_value_is_asked_for(shape):
    # On the meta device there are none: whatever would wait for a value fails.
    module = Told()
    watched = watch_encoder(module)
    for _ in range(2):
        module(tuple(torch.empty(shape, device="meta") for _ in range(2)))
    taken = watched.take()
    assert tuple(taken) == POSTERIOR
    assert {(value.device.type, tuple(value.shape)) for value in taken.values()} == {("meta", (4,))}


@pytest.mark.parametrize(("device", "counts"), [(0, True), (1, False)])
def test_of_several_devices_in_one_process_the_first_counts(trained, monkeypatch, device, counts):
    encoder, _ = trained
    watched = watch_encoder(encoder)
    monkeypatch.setattr(torch.cuda, "current_device", lambda: device)
    replica = encoder._replicate_for_data_parallel()
    replica.layer = encoder.layer
    replica(torch.randn(5, 6))
    assert bool(watched.take()) is counts


def test_only_the_training_counts(trained):
    encoder, _ = trained
    watched = watch_encoder(encoder)
    encoder.eval()
    encoder(torch.randn(5, 6))
    encoder.train()
    with torch.no_grad():
        encoder(torch.randn(5, 6))
    with torch.inference_mode():
        encoder(torch.randn(5, 6))
    assert watched.take() == {}


def test_an_activation_checkpoint_is_one_pass(runs, trained):
    encoder, _ = trained
    with Recorder("run42") as recorder:
        watch_encoder(encoder, recorder)
        for _ in range(3):
            x = torch.randn(5, 6, requires_grad=True)
            mean, _ = checkpoint(encoder, x, use_reentrant=True)
            mean.sum().backward()
    with open_run("run42") as run:
        assert run.series("mean_mu").step.tolist() == [1, 2, 3]


def test_a_row_a_step_of_the_optimizer_with_its_learning_rate(runs, trained):
    encoder, optimizer = trained
    schedule = torch.optim.lr_scheduler.StepLR(optimizer, step_size=1, gamma=0.5)
    expected = []
    with Recorder("run42") as recorder:
        watch_encoder(encoder, recorder, optimizer=optimizer)
        for _ in range(4):
            x = torch.randn(12, 6)
            mean, log_variance = (each.detach() for each in copy.deepcopy(encoder)(x))
            expected.append(closed_form(mean, log_variance.exp()))
            step(encoder, optimizer, x, parts=3)
            schedule.step()
            encoder.eval()
            encoder(torch.randn(100, 6))  # a validation
            encoder.train()
    with open_run("run42") as run:
        assert run.series("mean_mu").step.tolist() == [1, 2, 3, 4]
        np.testing.assert_allclose(run.series("lr").mean, [0.1, 0.05, 0.025, 0.0125], rtol=1e-6)
        for at, name in enumerate(POSTERIOR):
            np.testing.assert_allclose(
                run.series(name).mean, np.stack([row[at].numpy() for row in expected]), rtol=2e-5, atol=2e-6
            )
        np.testing.assert_allclose(run.series("kl").mean, run.series("latent_kl").mean.sum(1), rtol=1e-5)


def test_a_row_a_pass_where_no_optimizer_is_told(runs, trained):
    encoder, _ = trained
    with Recorder("run42") as recorder:
        watch_encoder(encoder, recorder)
        for _ in range(5):
            encoder(torch.randn(4, 6))
    with open_run("run42") as run:
        assert run.series("mean_variance").step.tolist() == [1, 2, 3, 4, 5]


def test_rows_of_ones_own_take_what_was_gathered(runs, trained):
    encoder, optimizer = trained
    with Recorder("run42") as recorder:
        watched = watch_encoder(encoder)
        for number in range(1, 5):
            step(encoder, optimizer, torch.randn(8, 6))
            recorder.log(number, **watched.take(), loss=1 / number)
    with open_run("run42") as run:
        assert run.series("mean_variance").mean.shape == (4, 3)
        np.testing.assert_allclose(run.series("loss").mean, [1, 1 / 2, 1 / 3, 1 / 4], rtol=1e-6)


def test_a_run_that_goes_on_goes_on_after_its_newest_step(runs, trained):
    encoder, optimizer = trained
    for resume in (False, True):
        with Recorder("run42", resume=resume) as recorder:
            watched = watch_encoder(encoder, recorder, optimizer=optimizer)
            for _ in range(3):
                step(encoder, optimizer, torch.randn(8, 6))
        watched.close()
    with Recorder("run42", resume=True) as recorder:
        watched = watch_encoder(encoder, recorder, optimizer=optimizer, first=5)  # from a checkpoint of step 4
        step(encoder, optimizer, torch.randn(8, 6))
        watched.close()
        step(encoder, optimizer, torch.randn(8, 6))
    with open_run("run42") as run:
        assert run.series("mean_variance").step.tolist() == [1, 2, 3, 4, 5]


def test_the_model_gives_and_learns_what_it_would_have(runs, trained):
    encoder, optimizer = trained
    alone = copy.deepcopy(encoder)
    other = torch.optim.SGD(alone.parameters(), lr=0.1)
    batches = torch.randn(5, 8, 6)
    with Recorder("run42") as recorder:
        watch_encoder(encoder, recorder, optimizer=optimizer)
        for x in batches:
            step(encoder, optimizer, x)
    for x in batches:
        step(alone, other, x)
    assert torch.equal(encoder.layer.weight, alone.layer.weight)


def test_copies_of_the_module_are_not_watched(runs, trained):
    encoder, _ = trained
    with Recorder("run42") as recorder:
        watched = watch_encoder(encoder, recorder)
        copied, loaded = copy.deepcopy(encoder), pickle.loads(pickle.dumps(encoder))
        encoder(torch.randn(4, 6))
        copied(torch.randn(4, 6))
        loaded(torch.randn(4, 6))
        watched.close()
        encoder(torch.randn(4, 6))
    with open_run("run42") as run:
        assert run.series("mean_variance").step.tolist() == [1]


@pytest.mark.filterwarnings("ignore")  # of the compiler's own
def test_a_compiled_model_is_watched_alike(trained):
    encoder, _ = trained
    watched = watch_encoder(encoder)
    compiled = torch.compile(encoder, backend="eager")
    x = torch.randn(16, 6)
    for _ in range(3):
        mean, log_variance = compiled(x)
        assert_are(watched.take(), closed_form(mean.detach(), log_variance.detach().exp()))


def test_no_graph_is_held(trained):
    encoder, _ = trained
    watched = watch_encoder(encoder)
    encoder(torch.randn(4, 6))
    assert not any(each.requires_grad for each in watched.take().values())


def test_extract_makes_of_the_output_what_can_be_told():
    mean, deviation = torch.randn(9, 2), torch.rand(9, 2) + 0.1
    module = Told()
    watched = watch_encoder(module, extract=lambda output: Normal(output[:, :2], output[:, 2:]))
    module(torch.cat([mean, deviation], 1))
    assert_are(watched.take(), closed_form(mean, deviation**2))


def test_the_first_pass_says_what_is_wrong_and_later_ones_do_not_stop_a_training(caplog):
    module = Told()
    watch_encoder(module)
    with pytest.raises(UsageError, match="extract="):
        module(torch.randn(3, 4))
    module((torch.randn(3, 4), torch.randn(3, 4)))
    for _ in range(3):
        module(torch.randn(3, 4))
    assert [record.message for record in caplog.records if "was not recorded, training goes on" in record.message]
    assert len(caplog.records) == 1


def test_posteriors_without_a_batch_are_refused():
    module = Told()
    watch_encoder(module)
    with pytest.raises(UsageError, match=r"\(batch, latents, …\), not \(4,\)"):
        module({"mean": torch.randn(4), "variance": torch.rand(4)})


def test_steps_without_a_recorder_are_refused(trained):
    encoder, optimizer = trained
    with pytest.raises(UsageError, match="hand in a recorder"):
        watch_encoder(encoder, optimizer=optimizer)
    assert not encoder._forward_hooks
