"""The schedule and the sampler against closed forms."""

from __future__ import annotations

import itertools
import math

import pytest
import torch
from torch import Tensor

from fpsim.dit.diffusion import add_noise, alpha_bars, ddim_sample, ddim_timesteps
from fpsim.dit.model import DiT, DiTConfig


def noise_and_labels(count: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(5)
    return torch.randn((count, 1, 8, 8), generator=generator), torch.arange(count) % 10


def test_alpha_bars_are_the_running_product_of_one_minus_beta() -> None:
    product = 1.0
    for t in range(1000):
        product *= 1 - (1e-4 + (0.02 - 1e-4) * t / 999)
        assert alpha_bars()[t] == pytest.approx(product, rel=1e-9)
    with pytest.raises(ValueError, match="read-only"):
        alpha_bars()[0] = 1


def test_noising_keeps_unit_variance_and_scales_the_signal() -> None:
    clean, t = torch.ones(2, 1, 8, 8), torch.tensor([0, 999])
    signal = add_noise(clean, torch.zeros_like(clean), t)[:, 0, 0, 0]
    spread = add_noise(torch.zeros_like(clean), clean, t)[:, 0, 0, 0]
    assert signal[0].item() == pytest.approx(math.sqrt(1 - 1e-4), rel=1e-6)
    torch.testing.assert_close(signal**2 + spread**2, torch.ones(2))
    with pytest.raises(ValueError, match="one timestep per image"):
        add_noise(clean, clean, t[:1])


def test_timesteps_run_from_999_to_0() -> None:
    steps = ddim_timesteps(20)
    assert steps[:3] == (999, 946, 894)
    assert steps[-2:] == (53, 0)
    assert len(steps) == 20
    assert ddim_timesteps(1000) == tuple(range(999, -1, -1))
    for bad in (1, 1001):
        with pytest.raises(ValueError, match=f"steps={bad}"):
            ddim_timesteps(bad)


def test_ddim_with_the_exact_eps_of_a_gaussian_follows_its_closed_form() -> None:
    """For data N(0, s²) the optimal eps is linear in x and every step multiplies x by a known factor.

    With v_t = abar s² + 1 - abar: E[x0|x] = sqrt(abar) s² x / v_t and eps = sqrt(1 - abar) x / v_t.
    """
    variance, steps = 0.01, 200
    bars = torch.from_numpy(alpha_bars().copy())

    def exact(x: Tensor, t: Tensor, labels: Tensor) -> Tensor:
        bar = bars[t].view(-1, 1, 1, 1)
        return ((1 - bar).sqrt() * x.double() / (bar * variance + 1 - bar)).float()

    factor = 1.0
    ladder = [alpha_bars()[t] for t in ddim_timesteps(steps)] + [1.0]
    for now, then in itertools.pairwise(ladder):
        v = now * variance + 1 - now
        factor *= (math.sqrt(then * now) * variance + math.sqrt((1 - then) * (1 - now))) / v
    noise, labels = noise_and_labels(40)
    samples = ddim_sample(exact, noise, labels, steps=steps)
    torch.testing.assert_close(samples, noise * factor, rtol=1e-3, atol=1e-5)
    # The continuous flow maps N(0, 1) onto the data, so the factor is the data's standard deviation.
    assert factor == pytest.approx(math.sqrt(variance), rel=0.1)


def test_predicted_images_are_clipped() -> None:
    noise, labels = noise_and_labels(4)
    samples = ddim_sample(lambda x, t, y: torch.zeros_like(x), noise, labels)
    assert samples.abs().max() <= 1
    assert torch.equal(samples.sign(), noise.sign())


class TestGuidance:
    @staticmethod
    def model(x: Tensor, t: Tensor, labels: Tensor) -> Tensor:
        """Depends on the label: 0.5 x for a class, 0.1 x for the null class."""
        return torch.where(labels == 10, 0.1, 0.5).view(-1, 1, 1, 1) * x

    def test_scale_one_is_the_plain_model(self) -> None:
        noise, labels = noise_and_labels(3)
        sizes = []

        def spy(x: Tensor, t: Tensor, y: Tensor) -> Tensor:
            sizes.append(len(x))
            return self.model(x, t, y)

        plain = ddim_sample(spy, noise, labels, steps=5)
        assert sizes == [3] * 5
        almost = ddim_sample(spy, noise, labels, steps=5, cfg_scale=1 + 1e-9)
        assert sizes == [3] * 5 + [6] * 5
        torch.testing.assert_close(almost, plain)

    def test_scale_mixes_the_two_predictions_linearly(self) -> None:
        noise, labels = noise_and_labels(3)
        mixed = 0.1 + 1.5 * (0.5 - 0.1)
        expected = ddim_sample(lambda x, t, y: mixed * x, noise, labels, steps=5)
        torch.testing.assert_close(ddim_sample(self.model, noise, labels, steps=5, cfg_scale=1.5), expected)

    def test_scale_zero_ignores_the_label(self) -> None:
        noise, labels = noise_and_labels(3)
        guided = ddim_sample(self.model, noise, labels, steps=5, cfg_scale=0.0)
        other = ddim_sample(self.model, noise, labels.flip(0), steps=5, cfg_scale=0.0)
        assert torch.equal(guided, other)

    def test_a_condition_of_several_parts_has_a_null_of_as_many(self) -> None:
        noise, labels = noise_and_labels(3)
        conditions = torch.stack([labels, labels + 1], dim=1)

        def two(x: Tensor, t: Tensor, condition: Tensor) -> Tensor:
            absent = (condition == torch.tensor([10, 4])).all(dim=1)
            return torch.where(absent, 0.1, 0.5).view(-1, 1, 1, 1) * x

        guided = ddim_sample(two, noise, conditions, steps=5, cfg_scale=1.5, null_label=(10, 4))
        assert torch.equal(guided, ddim_sample(self.model, noise, labels, steps=5, cfg_scale=1.5))
        with pytest.raises(ValueError, match=r"null_label: shape \(\), expected \(2,\)"):
            ddim_sample(two, noise, conditions, cfg_scale=1.5)


def test_sampling_is_deterministic_and_reports_progress() -> None:
    torch.manual_seed(0)
    model = DiT(DiTConfig(hidden=16, depth=1, heads=1)).eval()
    torch.nn.init.normal_(model.final_layer.linear.weight)
    noise, labels = noise_and_labels(5)
    seen: list[tuple[int, int]] = []
    first = ddim_sample(model, noise, labels, steps=3, batch=2, progress=lambda *p: seen.append(p))
    assert torch.equal(first, ddim_sample(model, noise, labels, steps=3, batch=2))
    torch.testing.assert_close(first, ddim_sample(model, noise, labels, steps=3, batch=5))
    assert seen == [(2, 15), (4, 15), (6, 15), (8, 15), (10, 15), (12, 15), (13, 15), (14, 15), (15, 15)]


def test_illegal_arguments_are_named() -> None:
    noise, labels = noise_and_labels(2)

    def zero(x: Tensor, t: Tensor, y: Tensor) -> Tensor:
        return torch.zeros_like(x)

    with pytest.raises(ValueError, match="batch=0"):
        ddim_sample(zero, noise, labels, batch=0)
    with pytest.raises(ValueError, match="cfg_scale=nan"):
        ddim_sample(zero, noise, labels, cfg_scale=math.nan)
    with pytest.raises(ValueError, match="noise, labels: shapes"):
        ddim_sample(zero, noise, labels[:1])
    with pytest.raises(ValueError, match="model: at timestep 999"):
        ddim_sample(lambda x, t, y: x * math.nan, noise, labels)
    with pytest.raises(ValueError, match="model: at timestep 999"):
        ddim_sample(lambda x, t, y: x[:, :, :4], noise, labels)
