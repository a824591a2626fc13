"""What a recipe may know of a model beforehand: its linears' inputs on calibration samples.

One sampling run of the floating-point model is observed. Kept are the largest and smallest value of every
channel at every timestep, over all samples and tokens, and the whole rows of 512 (sample, timestep) pairs,
the number of samples that HQ-DiT calibrates GPTQ with (arXiv 2405.19751; which 512 is our choice).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fpsim.dit.diffusion import ddim_sample, ddim_timesteps
from fpsim.dit.hooks import block_linears, observe
from fpsim.dit.model import DiT

CALIBRATION_STEPS = 20
ROW_SAMPLES = 512
ROWS_LIMIT = 8192  # rows kept per layer; videos have more tokens than that in 512 samples
SEED = 0


@dataclass(frozen=True, eq=False)
class Calibration:
    """What was seen of the floating-point model. T timesteps in sampling order, K channels of the layer.

    Attributes:
        timesteps: the T visited timesteps, 999 first, 0 last.
        channel_max: layer name to float32 (T, K), the largest value of every channel at every timestep.
        channel_min: likewise the smallest.
        rows: layer name to float32 (S, K), rows of the sampled (sample, timestep) pairs.
        row_step: layer name to int64 (S,), the index into `timesteps` that each row was seen at.
    """

    timesteps: tuple[int, ...]
    channel_max: dict[str, NDArray[np.float32]]
    channel_min: dict[str, NDArray[np.float32]]
    rows: dict[str, NDArray[np.float32]]
    row_step: dict[str, NDArray[np.int64]]

    @cached_property
    def channel_amax(self) -> dict[str, NDArray[np.float32]]:
        """Layer name to float32 (T, K), the largest magnitude of every channel at every timestep."""
        return {
            name: np.maximum(np.abs(largest), np.abs(self.channel_min[name]))
            for name, largest in self.channel_max.items()
        }

    @cached_property
    def amax(self) -> dict[str, float]:
        """Layer name to the largest magnitude over timesteps, tokens, samples and channels."""
        return {name: float(values.max()) for name, values in self.channel_amax.items()}


def observe_model(
    model: DiT,
    noise: Tensor,
    labels: Tensor,
    *,
    steps: int = CALIBRATION_STEPS,
    seed: int = SEED,
    progress: Callable[[int, int], None] | None = None,
) -> Calibration:
    """Calibrate: sample the floating-point model and keep what its block linears are fed.

    Args:
        model: the floating-point model.
        noise: float32 (B, C, S, S), starting noise of the calibration samples.
        labels: int64 (B, ...), their conditions.
        steps: DDIM steps.
        seed: of the choice of rows.
        progress: called as `ddim_sample` calls it.
    """
    timesteps = ddim_timesteps(steps)
    chosen = np.random.default_rng(seed).permutation(len(noise) * steps)[:ROW_SAMPLES]
    samples = [np.sort(chosen[chosen // len(noise) == step] % len(noise)) for step in range(steps)]
    largest: _Seen = {name: [] for name in block_linears(model)}
    smallest: _Seen = {name: [] for name in largest}
    rows: _Seen = {name: [] for name in largest}
    current = 0

    def see(name: str, x: Tensor) -> None:
        by_sample = x.reshape(len(noise), -1, x.shape[-1])
        largest[name].append(by_sample.amax(dim=(0, 1)).numpy())
        smallest[name].append(by_sample.amin(dim=(0, 1)).numpy())
        rows[name].append(by_sample[samples[current]].reshape(-1, x.shape[-1]).numpy())

    def eps(x: Tensor, t: Tensor, y: Tensor) -> Tensor:
        nonlocal current
        current = timesteps.index(int(t[0]))
        result: Tensor = model(x, t, y)
        return result

    with observe(model, see), torch.inference_mode():
        ddim_sample(eps, noise, labels, steps=steps, batch=len(noise), progress=progress)
    kept = {name: _thinned(parts) for name, parts in rows.items()}
    return Calibration(
        timesteps=timesteps,
        channel_max={name: np.stack(parts) for name, parts in largest.items()},
        channel_min={name: np.stack(parts) for name, parts in smallest.items()},
        rows={name: found for name, (found, _) in kept.items()},
        row_step={name: step for name, (_, step) in kept.items()},
    )


_Seen = dict[str, list[NDArray[np.float32]]]


def _thinned(parts: list[NDArray[np.float32]]) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """The rows of all steps and their step, evenly thinned to ROWS_LIMIT where there are more."""
    rows = np.concatenate(parts)
    step = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
    if len(rows) > ROWS_LIMIT:
        kept = np.linspace(0, len(rows) - 1, ROWS_LIMIT).round().astype(np.int64)
        rows, step = rows[kept], step[kept]
    return rows, step
