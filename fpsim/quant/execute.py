"""Run a quantized model: its layers on the machine, or in float imitation; the rest in FP32 on the host."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import torch
from torch import Tensor, nn

from fpsim.array.config import ArrayConfig
from fpsim.array.layer import Machine
from fpsim.dit.hooks import observe, with_linears
from fpsim.dit.model import DiT
from fpsim.quant.recipe import Phase, QuantizedModel
from fpsim.quant.scales import fp16_bits

LinearLike = Callable[[Tensor], Tensor]


class Executed(nn.Module):
    """A quantized model, called as the floating-point one is: eps(x, t, labels)."""

    def __init__(self, phases: list[tuple[Phase, DiT]]) -> None:
        super().__init__()
        self.phases = [phase for phase, _ in phases]
        self.models = nn.ModuleList(model for _, model in phases)

    def forward(self, x: Tensor, t: Tensor, labels: Tensor) -> Tensor:
        """Predict the noise by the model of the timestep's phase; every sample at the same timestep."""
        timestep = int(t[0])
        if bool((t != timestep).any()):
            raise ValueError(f"t={t}: expected one timestep for all samples")
        for phase, model in zip(self.phases, self.models, strict=True):
            if phase.last <= timestep <= phase.first:
                result: Tensor = model(x, t, labels)
                return result
        raise ValueError(f"t={timestep}: expected 0 to {self.phases[0].first}")


def on_machine(quantized: QuantizedModel, config: ArrayConfig) -> Executed:
    """The model with its programs executed bit by bit by the accelerator of that configuration."""
    return _executed(quantized, lambda phase: machine_linears(phase, config))


def in_float(quantized: QuantizedModel, config: ArrayConfig) -> Executed:
    """The model with its programs imitated in float32: fake quantization, for comparison."""
    return _executed(quantized, lambda phase: float_linears(phase, config))


def _executed(quantized: QuantizedModel, linears: Callable[[Phase], dict[str, LinearLike]]) -> Executed:
    return Executed([(phase, with_linears(phase.model, linears(phase))) for phase in quantized.phases])


def machine_linears(phase: Phase, config: ArrayConfig) -> dict[str, LinearLike]:
    """Every programmed layer as a function: float32 (..., K), FP16, the machine, float32 (..., N)."""
    machine = Machine(config, phase.programs)

    def linear(name: str) -> LinearLike:
        scale = _factor(phase, name)

        def run(x: Tensor) -> Tensor:
            rows = (x if scale is None else x * scale).detach().reshape(-1, x.shape[-1]).numpy()
            y = machine.run(name, fp16_bits(rows, f"{name}: input"))
            return torch.from_numpy(y.view("float16").astype("float32")).reshape(*x.shape[:-1], -1)

        return run

    return {program.name: linear(program.name) for program in phase.programs}


def float_linears(phase: Phase, config: ArrayConfig) -> dict[str, LinearLike]:
    """Every programmed layer in its float imitation, float32 (..., K) to float32 (..., N)."""

    def linear(name: str, fake: Callable[..., object]) -> LinearLike:
        scale = _factor(phase, name)

        def run(x: Tensor) -> Tensor:
            rows = (x if scale is None else x * scale).detach().reshape(-1, x.shape[-1]).numpy()
            return torch.from_numpy(fake(rows)).reshape(*x.shape[:-1], -1)

        return run

    return {program.name: linear(program.name, program.fake(config.unit)) for program in phase.programs}


def _factor(phase: Phase, name: str) -> Tensor | None:
    return torch.from_numpy(phase.input_scale[name]) if name in phase.input_scale else None


@contextmanager
def observe_executed(executed: Executed, callback: Callable[[str, Tensor], None]) -> Iterator[None]:
    """As `fpsim.dit.hooks.observe`, over the models of all phases."""
    with ExitStack() as stack:
        for model in executed.models:
            assert isinstance(model, DiT)
            stack.enter_context(observe(model, callback))
        yield
