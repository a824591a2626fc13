"""Run a quantized model: every block linear on the machine, everything else in float32 on the host."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from fpsim.array.config import ArrayConfig
from fpsim.array.layer import Machine
from fpsim.dit.hooks import with_linears
from fpsim.dit.model import DiT
from fpsim.quant.recipe import QuantizedModel
from fpsim.quant.scales import fp16_bits


def on_machine(quantized: QuantizedModel, config: ArrayConfig) -> DiT:
    """A DiT whose block linears are executed bit by bit by the accelerator of that configuration."""
    machine = Machine(config, quantized.programs)
    return with_linears(
        quantized.model, {p.name: machine_linear(machine, p.name) for p in quantized.programs}
    )


def machine_linear(machine: Machine, name: str) -> Callable[[Tensor], Tensor]:
    """One layer as a function: float32 (..., K), to FP16, the machine, float32 (..., N)."""

    def run(x: Tensor) -> Tensor:
        rows = x.detach().reshape(-1, x.shape[-1]).numpy()
        y = machine.run(name, fp16_bits(rows, f"{name}: input"))
        return torch.from_numpy(y.view("float16").astype("float32")).reshape(*x.shape[:-1], -1)

    return run
