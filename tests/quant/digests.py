"""Quantize one small model by every recipe; run as a script, it prints the SHA-256 of each result as JSON."""

from __future__ import annotations

import hashlib
import json

import torch

from fpsim.array.config import ArrayConfig
from fpsim.dit.model import DiT, DiTConfig
from fpsim.quant.calibration import observe_model
from fpsim.quant.recipes import RECIPES
from fpsim.quant.saved import quantized_bytes


def digests() -> dict[str, str]:
    """Recipe to the hash of everything it decides: codes, scales, folded weights, factors, phases."""
    torch.manual_seed(6)
    model = DiT(DiTConfig(hidden=96, depth=1, heads=3))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.05)
    model.eval().requires_grad_(False)
    noise = torch.randn(48, 1, 8, 8, generator=torch.Generator().manual_seed(3))
    calibration = observe_model(model, noise, torch.arange(48) % 10, steps=4)
    return {
        name: hashlib.sha256(
            quantized_bytes(recipe.quantize(model, calibration, ArrayConfig()), ArrayConfig())
        ).hexdigest()
        for name, recipe in RECIPES.items()
    }


if __name__ == "__main__":
    print(json.dumps(digests()))
