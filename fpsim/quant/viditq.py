"""ViDiT-Q: what is summed together shares its parameters, and channels are balanced (arXiv 2406.02540).

Activations have a scale and a zero point per token, found as the token comes, so timesteps and the halves of
guidance are apart by construction; weights have theirs per output channel. Two balancings, by version:

- "static-dynamic" (the published one): factors from the first, noisiest timestep, then a rotation, a Hadamard
  matrix with random signs, which meets whatever the later timesteps bring. One set of weights.
- "timestep" (the first two versions): factors from a moving average over each of two ranges of timesteps, the
  weights divided by each range's own. Two phases, two sets of weights, no rotation.

The rows are multiplied by the factors in the prologue that hands them to the machine, where the released
kernels fuse modulation and quantization (ours, for every layer alike: the factors of qkv, fc1 and proj could
be folded into what precedes them, `fpsim.quant.fold`, and cost nothing there). Embeddings, modulation, final
layer and what is listed in `keep` stay in floating point.
"""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from fpsim.array.config import ArrayConfig
from fpsim.dit.diffusion import TRAIN_STEPS
from fpsim.dit.hooks import BlockModel, block_linears
from fpsim.quant.calibration import Calibration
from fpsim.quant.linears import bias_of, weight_of
from fpsim.quant.recipe import Phase, QuantizedModel
from fpsim.quant.viditq_factors import STATIC_ALPHA, TIMESTEP_ALPHA, static_factors, timestep_factors
from fpsim.quant.viditq_layer import LayerCoder, Width

Balancing = Literal["static-dynamic", "timestep", "none"]
Factors = dict[str, NDArray[np.float32]]

RANGES = ((TRAIN_STEPS - 1, 501), (500, 0))  # of the timestep-aware balancing, first and last timestep


@dataclass(frozen=True)
class ViDiTQ:
    """INT with per-token and per-output-channel scales and zero points, after channel balancing.

    Attributes:
        weight_bits: 4, 6 or 8.
        act_bits: 4, 6 or 8.
        balancing: see above. "none" without `rotate` is plain dynamic min-max, with it QuaRot's rotation.
        alpha: exponent of |W| in the factors (`static_factors`); that of the timestep-aware rule is 1 - .11.
        rotate: whether rows are rotated after the factors.
        double: see `LayerCoder`.
        gptq: see `LayerCoder`; not in the paper.
        keep: patterns of layers that stay in floating point, such as "*.mlp.fc2".
    """

    weight_bits: int = 8
    act_bits: int = 8
    balancing: Balancing = "static-dynamic"
    alpha: float = STATIC_ALPHA
    rotate: bool = True
    double: bool = False
    gptq: bool = False
    keep: tuple[str, ...] = ()
    name: str = "vidit-q-w8a8"
    title: str = "ViDiT-Q W8A8 INT, per-token scales, channels balanced and rotated"

    def quantize(self, model: BlockModel, calibration: Calibration, config: ArrayConfig) -> QuantizedModel:
        """Balance, rotate and code every layer, for each range of timesteps.

        Raises:
            ValueError: bits, alpha or a balancing that there is not.
        """
        ranges = RANGES if self.balancing == "timestep" else ((TRAIN_STEPS - 1, 0),)
        width, coder = Width(self.weight_bits, self.act_bits), self.coder
        phases = []
        for first, last in ranges:
            factors = self.factors(model, calibration, first, last)
            programs = [
                coder.code(
                    name,
                    weight_of(linear),
                    bias_of(linear),
                    width,
                    config,
                    factors=factors.get(name),
                    rows=calibration.rows[name] if self.gptq else None,
                )
                for name, linear in block_linears(model).items()
                if not self.keeps(name)
            ]
            phases.append(Phase(first, last, model, programs, factors))  # type: ignore[arg-type]
        return QuantizedModel(self.name, phases)

    @property
    def coder(self) -> LayerCoder:
        """What turns a layer into a program."""
        return LayerCoder(self.rotate, self.double, self.gptq)

    def keeps(self, name: str) -> bool:
        """Whether the layer stays in floating point."""
        return any(fnmatchcase(name, pattern) for pattern in self.keep)

    def factors(
        self, model: BlockModel, calibration: Calibration, first: int = TRAIN_STEPS - 1, last: int = 0
    ) -> Factors:
        """Layer name to what its rows are multiplied with from timestep `first` down to `last`."""
        if self.balancing == "none":
            return {}
        if self.balancing not in ("static-dynamic", "timestep"):
            raise ValueError(f"balancing={self.balancing!r}: expected 'static-dynamic', 'timestep' or 'none'")
        result = {}
        for name, linear in block_linears(model).items():
            if self.keeps(name):
                continue
            seen, weight_max = calibration.channel_amax[name], np.abs(weight_of(linear)).max(axis=0)
            if self.balancing == "static-dynamic":
                result[name] = static_factors(seen[0], weight_max, self.alpha)
                continue
            inside = [i for i, t in enumerate(calibration.timesteps) if last <= t <= first]
            if not inside:
                raise ValueError(f"calibration: no timestep from {first} to {last}, expected at least one")
            result[name] = timestep_factors(seen[inside], weight_max, 1 - self.alpha)
        return result


def _plain(weight_bits: int, act_bits: int) -> ViDiTQ:
    return ViDiTQ(
        weight_bits,
        act_bits,
        name=f"vidit-q-w{weight_bits}a{act_bits}",
        title=f"ViDiT-Q W{weight_bits}A{act_bits} INT, per-token scales, channels balanced and rotated",
    )


VIDITQ_RECIPES: tuple[ViDiTQ, ...] = (
    *(_plain(weight, act) for weight, act in ((8, 8), (4, 8), (6, 6), (4, 4))),
    ViDiTQ(
        4,
        8,
        balancing="timestep",
        alpha=1 - TIMESTEP_ALPHA,
        rotate=False,
        name="vidit-q-cb-w4a8",
        title="ViDiT-Q W4A8 INT as first published: channels balanced for two ranges of timesteps",
    ),
    ViDiTQ(
        4,
        8,
        gptq=True,
        name="vidit-q-gptq-w4a8",
        title="ViDiT-Q W4A8 INT with GPTQ's weights, which the paper does not have",
    ),
)
