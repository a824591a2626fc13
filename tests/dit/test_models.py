"""Models by name: each domain's, as trained and with outliers that leave its FP32 function alone."""

from __future__ import annotations

import pytest
import torch

from fpsim.dit.domains import DOMAINS
from fpsim.dit.hooks import observe
from fpsim.dit.stress import add_outliers, outlier_channels
from fpsim.dit.workload import MODELS, load_model, models_of, sample_noise

IMAGES = [domain.name for domain in DOMAINS.values() if domain.kind == "image"]


def test_every_image_domain_has_two_models() -> None:
    assert list(MODELS) == [name for domain in IMAGES for name in (domain, f"{domain}-stress")]
    assert [name for domain in IMAGES for name in models_of(domain)] == list(MODELS)
    with pytest.raises(ValueError, match="domain='faces': expected one of digits"):
        models_of("faces")
    for name in ("faces", "digits-calm", "-stress"):
        with pytest.raises(ValueError, match=f"model='{name}': expected one of digits, digits-stress"):
            load_model(name)


@pytest.mark.parametrize("domain", IMAGES)
def test_stress_grows_channels_and_keeps_the_function(domain: str) -> None:
    plain, stressed = (load_model(name) for name in models_of(domain))
    assert plain.config == stressed.config == DOMAINS[domain].config
    points = sample_noise(domain, 20, 1)
    t = torch.arange(20) * 52
    seen: dict[str, list[torch.Tensor]] = {}
    results = []
    for model in (plain, stressed):
        with observe(model, lambda name, x: seen.setdefault(name, []).append(x.abs().amax(dim=(0, 1)))):
            results.append(model(points.noise, t, points.labels))
    relative = ((results[0] - results[1]).square().mean() / results[0].square().mean()).sqrt().item()
    assert 0 < relative < 1e-6
    for name, places in outlier_channels(plain.config).items():
        before, after = seen[name]
        torch.testing.assert_close(after[list(places)], 16 * before[list(places)], rtol=1e-3, atol=1e-4)
    again = add_outliers(plain).state_dict()
    assert all(torch.equal(value, again[name]) for name, value in stressed.state_dict().items())
