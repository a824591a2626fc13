"""The embedded image workloads by name, and the starting points to calibrate and to judge them with.

Each domain's model comes as trained and with synthetic outliers. Calibration has starting points of its own,
so that what is measured on others says nothing about the choice of scales.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from fpsim.dit.checkpoint import NOISE_IMAGES, SampleNoise, load_image_dit, load_noise
from fpsim.dit.domains import DEFAULT_DOMAIN, DOMAINS, get_domain
from fpsim.dit.model import DiT
from fpsim.dit.stress import add_outliers

_STRESS = "-stress"
_VARIANTS = {"": "as trained", _STRESS: "synthetic outlier channels, the same FP32 function"}
_IMAGE_DOMAINS = [domain.name for domain in DOMAINS.values() if domain.kind == "image"]
MODELS = {domain + suffix: text for domain in _IMAGE_DOMAINS for suffix, text in _VARIANTS.items()}
CALIBRATION_IMAGES = 60


def models_of(domain: str) -> list[str]:
    """Names of an image domain's models, the trained one first.

    Raises:
        ValueError: an unknown domain, or one of no images.
    """
    if domain not in _IMAGE_DOMAINS:
        raise ValueError(f"domain={domain!r}: expected one of {', '.join(_IMAGE_DOMAINS)}")
    return [domain + suffix for suffix in _VARIANTS]


def domain_of(model: str) -> str:
    """The domain whose data a model was trained on.

    Raises:
        ValueError: an unknown model.
    """
    if model not in MODELS:
        raise ValueError(f"model={model!r}: expected one of {', '.join(MODELS)}")
    return model.removesuffix(_STRESS)


def load_model(name: str) -> DiT:
    """A model by name (see `MODELS`), in FP32.

    Raises:
        ValueError: an unknown name.
        DataFileError: the checkpoint is missing, truncated or altered.
    """
    model, _ = load_image_dit(domain_of(name))
    return add_outliers(model) if name.endswith(_STRESS) else model


def calibration_noise(domain: str = DEFAULT_DOMAIN) -> tuple[Tensor, Tensor]:
    """Starting noise and labels of a domain's calibration images: the last 60 of the stored 1000."""
    stored = load_noise(NOISE_IMAGES, domain)
    return stored.noise[-CALIBRATION_IMAGES:], stored.labels[-CALIBRATION_IMAGES:]


def sample_noise(domain: str, count: int, seed: int) -> SampleNoise:
    """Starting points to judge a workload with, a set for every seed, none used for calibration.

    The points of seed 0 are the stored ones that calibration leaves, 940, and from there on generated ones;
    those of other seeds are all generated, by PCG64 from the domain's name and the seed. Fewer points are the
    first of more.

    Args:
        domain: a name out of `DOMAINS`.
        count: points, at least 1.
        seed: which set, at least 0.

    Raises:
        ValueError: an illegal argument.
        DataFileError: for seed 0, if the file is missing, truncated or altered.
    """
    own = get_domain(domain)
    for name, value, least in (("count", count, 1), ("seed", seed, 0)):
        if not isinstance(value, int) or value < least:
            raise ValueError(f"{name}={value!r}: expected an integer of at least {least}")
    stored = torch.empty((0, *own.shape))
    if seed == 0:
        stored = load_noise(min(count, NOISE_IMAGES - CALIBRATION_IMAGES), domain).noise
    rng = np.random.Generator(np.random.PCG64([*own.name.encode(), seed]))
    drawn = rng.standard_normal((count - len(stored), *own.shape)).astype(np.float16).astype(np.float32)
    return SampleNoise(torch.cat([stored, torch.from_numpy(drawn)]), own.conditions(count))
