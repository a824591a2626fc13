"""Starting points: a set for every seed, the same on every machine, none shared with calibration."""

from __future__ import annotations

import pytest
import torch

from fpsim.dit.checkpoint import load_noise
from fpsim.dit.domains import DOMAINS
from fpsim.dit.workload import calibration_noise, sample_noise

EVERY = pytest.mark.parametrize("domain", DOMAINS)


@EVERY
def test_seed_0_is_the_stored_file(domain: str) -> None:
    stored = load_noise(940, domain)
    points = sample_noise(domain, 940, 0)
    assert torch.equal(points.noise, stored.noise)
    assert torch.equal(points.labels, stored.labels)


@EVERY
def test_other_seeds_are_standard_normal_in_fp16(domain: str) -> None:
    points = sample_noise(domain, 500, 3)
    assert points.noise.shape == (500, *DOMAINS[domain].shape)
    assert points.noise.dtype == torch.float32
    assert torch.equal(points.noise.half().float(), points.noise)
    assert torch.equal(points.labels, load_noise(500, domain).labels)
    n = points.noise.numel()
    # Five standard errors of the mean and of the variance.
    assert abs(points.noise.mean().item()) < 5 / n**0.5
    assert abs(points.noise.var().item() - 1) < 5 * (2 / n) ** 0.5


@EVERY
def test_no_point_is_shared_by_seeds_or_with_calibration(domain: str) -> None:
    sets = [calibration_noise(domain)[0], *(sample_noise(domain, 1010, seed).noise for seed in range(3))]
    points = torch.cat(sets).flatten(1)
    assert len(points) == 60 + 3 * 1010
    assert len(points.unique(dim=0)) == len(points)


@EVERY
@pytest.mark.parametrize("seed", [0, 7])
def test_fewer_points_are_the_first_of_more(domain: str, seed: int) -> None:
    more = sample_noise(domain, 970, seed)
    for count in (1, 7, 950):
        fewer = sample_noise(domain, count, seed)
        assert torch.equal(fewer.noise, more.noise[:count])
        assert torch.equal(fewer.labels, more.labels[:count])


def test_domains_do_not_share_their_numbers() -> None:
    first = {sample_noise(domain, 1, 1).noise.flatten()[0].item() for domain in DOMAINS}
    assert len(first) == len(DOMAINS)


def test_calibration_has_the_last_sixty_stored_points() -> None:
    noise, labels = calibration_noise()
    assert torch.equal(noise, load_noise().noise[940:])
    assert labels.tolist() == list(range(10)) * 6


def test_illegal_arguments_are_named() -> None:
    with pytest.raises(ValueError, match="domain='faces': expected one of digits"):
        sample_noise("faces", 1, 0)
    with pytest.raises(ValueError, match="count=0: expected an integer of at least 1"):
        sample_noise("digits", 0, 0)
    with pytest.raises(ValueError, match="seed=-1: expected an integer of at least 0"):
        sample_noise("digits", 1, -1)
    with pytest.raises(ValueError, match=r"count=2\.5"):
        sample_noise("digits", 2.5, 0)  # type: ignore[arg-type]
