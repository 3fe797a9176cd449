import pytest
import torch

from trainer.networks.vae import images_to_input
from trainer.stages import generator, image_stage, latent_stage, planned_steps
from vaemon.errors import UsageError

CPU = torch.device("cpu")


def test_steps_are_full_batches_up_to_the_limit(tiny, pixels):
    stage = image_stage(tiny("stage1.batch=12", "stage1.epochs=5"), pixels, CPU)
    assert (stage.steps_per_epoch, stage.total_steps) == (3, 15)  # 40 images: the last 4 of an epoch are left out
    assert planned_steps(tiny("stage1.epochs=5", "stage1.max_steps=7").stage1, 3) == 7
    assert planned_steps(tiny("stage1.epochs=2", "stage1.max_steps=7").stage1, 3) == 6


def test_a_batch_larger_than_the_data_is_refused(tiny, pixels):
    with pytest.raises(UsageError, match=r"stage1.batch=41, but there are only 40 training images"):
        image_stage(tiny("stage1.batch=41"), pixels, CPU)


def test_learning_rate_is_halved_every_so_many_epochs(tiny_stage):
    stage = tiny_stage("stage1.halve_every=3", "stage1.lr=0.8", "stage1.epochs=9")
    rates = []
    for epoch in range(9):
        stage.step = epoch * stage.steps_per_epoch
        rates.append(stage.learning_rate)
    assert rates == pytest.approx([0.8] * 3 + [0.4] * 3 + [0.2] * 3)
    never = tiny_stage("stage1.lr=0.8")
    never.step = 7
    assert never.learning_rate == 0.8


def test_the_optimizer_is_adam_with_tensorflows_defaults(tiny_stage):
    optimizer = tiny_stage("stage1.lr=0.8").optimizer
    assert type(optimizer) is torch.optim.Adam
    wanted = {"lr": 0.8, "betas": (0.9, 0.999), "eps": 1e-8, "weight_decay": 0, "amsgrad": False}
    assert {key: optimizer.defaults[key] for key in wanted} == wanted


def test_an_epoch_shows_every_image_once_in_a_fresh_order(tiny_stage):
    stage = tiny_stage()
    first = stage.shuffle()
    stage.step = stage.steps_per_epoch
    second = stage.shuffle()
    assert first.shape == second.shape == (4, 10)
    assert sorted(first.flatten().tolist()) == sorted(second.flatten().tolist()) == list(range(40))
    assert not torch.equal(first, second)


def test_an_interrupted_epoch_goes_on_in_its_own_order(tiny_stage):
    stage = tiny_stage()
    order = stage.shuffle()
    stage.step = 2
    assert torch.equal(stage.shuffle(), order)

    other = tiny_stage()
    other.load_state_dict(stage.state_dict())
    assert torch.equal(other.shuffle(), order)


def test_a_state_at_the_end_of_an_epoch_goes_on_with_the_next_order(tiny_stage):
    stage = tiny_stage()
    stage.shuffle()
    stage.step = stage.steps_per_epoch
    state = stage.state_dict()
    following = stage.shuffle()

    other = tiny_stage()
    other.load_state_dict(state)
    assert torch.equal(other.shuffle(), following)


def test_images_are_taken_by_row(tiny_stage, pixels):
    rows = torch.tensor([5, 3])
    torch.testing.assert_close(tiny_stage().take(rows), images_to_input(torch.from_numpy(pixels[[5, 3]])))


def test_latents_are_drawn_anew_each_time(tiny):
    mean = torch.tensor([[0.0, 5.0, -5.0]]).repeat(40, 1)
    log_variance = torch.full((40, 3), -20.0)
    log_variance[:, 0] = 0.0
    stage = latent_stage(tiny(), mean, log_variance, (8, 8, 3))
    rows = torch.arange(40)
    first, second = stage.take(rows), stage.take(rows)
    assert stage.number == 2
    assert not torch.equal(first[:, 0], second[:, 0])
    torch.testing.assert_close(first[:, 1:], mean[:, 1:], atol=1e-3, rtol=0)
    assert 0.5 < torch.cat([first, second])[:, 0].std() < 1.5


def test_a_state_of_other_data_is_refused(tiny, tiny_stage, pixels):
    state = tiny_stage().state_dict()
    other = image_stage(tiny(), pixels[:30], CPU)
    with pytest.raises(UsageError, match="the run has 4 batches an epoch in stage 1, the data at hand give 3"):
        other.load_state_dict(state)


def test_a_state_from_another_kind_of_device_goes_on_with_other_noise(tiny_stage):
    stage = tiny_stage()
    state = {**stage.state_dict(), "device": "cuda", "noise": torch.zeros(16, dtype=torch.uint8), "step": 3}
    stage.load_state_dict(state)
    assert stage.step == 3
    fresh = tiny_stage()
    assert not torch.equal(stage.take(torch.arange(3)), torch.rand(3, generator=stage.noise))
    assert not torch.equal(torch.rand(9, generator=stage.noise), torch.rand(9, generator=fresh.noise))


def test_every_purpose_has_random_numbers_of_its_own():
    drawn = {
        torch.rand(1, generator=generator(seed, stage, purpose)).item()
        for seed in (0, 1)
        for stage in (1, 2)
        for purpose in (0, 1, 2)
    }
    assert len(drawn) == 12
