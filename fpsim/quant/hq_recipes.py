"""HQ-DiT and what it is without each of its parts."""

from __future__ import annotations

from fpsim.quant.hqdit import HQDiT

HQ_RECIPES = (
    HQDiT(),
    HQDiT(gptq=False, name="hq-dit-w4a4-no-gptq", title="HQ-DiT W4A4 without GPTQ"),
    HQDiT(hadamard=None, name="hq-dit-w4a4-no-hadamard", title="HQ-DiT W4A4 without transforms"),
    HQDiT(
        activation="tensor",
        name="hq-dit-w4a4-per-tensor",
        title="HQ-DiT W4A4, static activations per tensor",
    ),
    HQDiT(
        activation="channel",
        name="hq-dit-w4a4-per-channel",
        title="HQ-DiT W4A4, activations balanced per channel",
    ),
)
