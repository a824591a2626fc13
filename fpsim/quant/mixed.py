"""ViDiT-Q-MP: ViDiT-Q with a bit width for every layer and range of timesteps (arXiv 2406.02540).

Sensitivities are measured on the machine when a model is quantized: minutes for the embedded models, unless a
file keeps them. A layer's weights at one width are the same arrays in every range.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, cast

from torch import Tensor

from fpsim.array.config import ArrayConfig
from fpsim.array.program import LayerProgram
from fpsim.dit.diffusion import TRAIN_STEPS
from fpsim.dit.domains import DOMAINS, Domain
from fpsim.dit.hooks import BlockModel, LinearLike, block_linears
from fpsim.dit.metrics import load_metric
from fpsim.dit.model import DiT
from fpsim.dit.video_metrics import load_video_metric
from fpsim.dit.workload import CALIBRATION_IMAGES, calibration_noise
from fpsim.quant.calibration import Calibration
from fpsim.quant.cluster import range_ends
from fpsim.quant.execute import machine_linears
from fpsim.quant.linears import bias_of, weight_of
from fpsim.quant.mixed_assignment import Assignment, Budget, layer_sizes
from fpsim.quant.mixed_plan import Rule, plan, released
from fpsim.quant.recipe import Phase, QuantizedModel
from fpsim.quant.sensitivity import RANGES, Sensitivity, Trials, equal_ranges, measure_sensitivity
from fpsim.quant.sensitivity_quality import Compare, image_changes, video_changes
from fpsim.quant.viditq import Factors, ViDiTQ
from fpsim.quant.viditq_layer import Width

Programs = dict[Width, dict[str, LayerProgram]]


@dataclass(frozen=True)
class ViDiTQMixed:
    """Mixed precision over layers and ranges of timesteps.

    Attributes:
        widths: what a layer may have, narrow to wide.
        budget: what the widths may amount to; the released rule has none.
        rule: "decoupled", "mse" (`fpsim.quant.mixed_plan.plan`) or "released".
        base: balancing, rotation and weights; its bits are not used.
        ranges: ranges of timesteps, of equally many sampler steps each.
        samples: samples per trial, the first of the domain's calibration points, up to 60.
        store: file that keeps the sensitivities; None: measured every time.
    """

    widths: tuple[Width, ...] = (Width(4, 8), Width(8, 8))
    budget: Budget = field(default_factory=lambda: Budget(6.2))
    rule: Rule | Literal["released"] = "decoupled"
    base: ViDiTQ = field(default_factory=ViDiTQ)
    ranges: int = RANGES
    samples: int = 24
    store: Path | None = None
    name: str = "vidit-q-mp-w4a8"
    title: str = "ViDiT-Q-MP W4A8/W8A8 INT, widths by layer and timesteps, 6.2 bits a weight"

    def quantize(self, model: BlockModel, calibration: Calibration, config: ArrayConfig) -> QuantizedModel:
        """Code every layer at every width, measure, assign, and make a phase of each range.

        Raises:
            ValueError: a model of no domain (its metric ranks the layers), or options that do not fit.
        """
        factors = self.base.factors(model, calibration)
        programs = self.programs(model, calibration, factors, config)
        assignment = self.assignment(model, calibration, programs, factors, config)
        return quantized_by(self.name, model, programs, factors, assignment, calibration.timesteps)

    def step_ranges(self, steps: int) -> tuple[tuple[int, ...], ...]:
        """The ranges of that many sampler steps; fewer than `ranges` where there are fewer steps."""
        return equal_ranges(steps, min(self.ranges, steps))

    def programs(
        self, model: BlockModel, calibration: Calibration, factors: Factors, config: ArrayConfig
    ) -> Programs:
        """Every layer that is not kept in floating point, at every width."""
        return {
            width: {
                name: self.base.coder.code(
                    name,
                    weight_of(linear),
                    bias_of(linear),
                    width,
                    config,
                    factors=factors.get(name),
                    rows=calibration.rows[name],
                )
                for name, linear in block_linears(model).items()
                if not self.base.keeps(name)
            }
            for width in self.widths
        }

    def assignment(
        self,
        model: BlockModel,
        calibration: Calibration,
        programs: Programs,
        factors: Factors,
        config: ArrayConfig,
        progress: Callable[[int, int], None] | None = None,
    ) -> Assignment:
        """Widths by the recipe's rule."""
        steps = len(calibration.timesteps)
        ranges = self.step_ranges(steps)
        layers = tuple(programs[self.widths[0]])
        if self.rule == "released":
            return released(layers, ranges)
        domain = domain_of(model)
        noise, labels = (part[: self.samples] for part in calibration_noise(domain.name))
        sensitivity = self.sensitivity(
            model, programs, factors, config, noise, labels, compare_of(domain), steps, progress
        )
        return plan(sensitivity, self.budget, layer_sizes(model, noise, labels), self.rule)

    def sensitivity(
        self,
        model: BlockModel,
        programs: Programs,
        factors: Factors,
        config: ArrayConfig,
        noise: Tensor,
        labels: Tensor,
        compare: Compare,
        steps: int = 20,
        progress: Callable[[int, int], None] | None = None,
    ) -> Sensitivity:
        """Every layer in every range at every width, on the machine."""
        if not 2 <= self.samples <= CALIBRATION_IMAGES:
            raise ValueError(f"samples={self.samples!r}: expected 2 to {CALIBRATION_IMAGES}")
        return measure_sensitivity(
            Trials.of(model, noise, labels, compare, steps),
            {width: machine_functions(model, own, factors, config) for width, own in programs.items()},
            self.step_ranges(steps),
            store=self.store,
            key=_key(model, programs, factors, config, noise, labels, steps, self.ranges),
            progress=progress,
        )


def quantized_by(
    name: str,
    model: BlockModel,
    programs: Programs,
    factors: Factors,
    assignment: Assignment,
    timesteps: tuple[int, ...],
) -> QuantizedModel:
    """The model under an assignment: a phase for each of its ranges.

    Args:
        name: what to call it.
        model: the floating-point model.
        programs: width to layer name to program, at least those that are assigned.
        factors: what the host multiplies layers' rows with.
        assignment: width of every layer in every range; its ranges cover the sampler's steps.
        timesteps: the sampler's.
    """
    phases = []
    ends = range_ends(timesteps, [list(steps) for steps in assignment.ranges])
    for index, (first, last) in enumerate(ends):
        widths = assignment.at(index)
        own = [programs[widths[layer]][layer] for layer in assignment.layers]
        phases.append(Phase(first, last, model, own, factors))  # type: ignore[arg-type]
    return QuantizedModel(name, phases)


def machine_functions(
    model: BlockModel, programs: dict[str, LayerProgram], factors: Factors, config: ArrayConfig
) -> dict[str, LinearLike]:
    """Layers as functions that the machine computes."""
    whole = Phase(TRAIN_STEPS - 1, 0, cast(DiT, model), list(programs.values()), factors)
    return machine_linears(whole, config)


def domain_of(model: BlockModel) -> Domain:
    """The domain whose models have this model's configuration.

    Raises:
        ValueError: there is none.
    """
    shape = _samples_of(model.config)
    for domain in DOMAINS.values():
        if type(domain.config) is type(model.config) and _samples_of(domain.config) == shape:
            return domain
    raise ValueError(f"model: {model.config}, expected the samples and conditions of {', '.join(DOMAINS)}")


def _samples_of(config: object) -> dict[str, object]:
    """What a configuration says of samples and conditions."""
    fields = ("image", "channels", "classes", "frames", "motions")
    return {name: getattr(config, name) for name in fields if hasattr(config, name)}


def compare_of(domain: Domain) -> Compare:
    """How a domain's samples are compared."""
    if domain.kind == "video":
        return video_changes(load_video_metric(domain.name))
    return image_changes(load_metric(domain.name))


def _key(
    model: BlockModel,
    programs: Programs,
    factors: Factors,
    config: ArrayConfig,
    noise: Tensor,
    labels: Tensor,
    steps: int,
    ranges: int,
) -> str:
    """Hash of what sensitivities depend on, but for fpsim's own code: another version may measure others."""
    digest = hashlib.sha256(json.dumps([config.to_dict(), steps, ranges]).encode())
    for name, tensor in [*model.state_dict().items(), ("noise", noise), ("labels", labels)]:
        digest.update(name.encode() + tensor.detach().contiguous().numpy().tobytes())
    for width, own in programs.items():
        for name, program in own.items():
            digest.update(f"{width} {name} {program.signs is None} {program.hadamard_n}".encode())
            digest.update(program.weight_codes.tobytes() + program.col_scale.tobytes())
            if name in factors:
                digest.update(factors[name].tobytes())
    return digest.hexdigest()


MIXED_RECIPES: tuple[ViDiTQMixed, ...] = (
    ViDiTQMixed(),
    ViDiTQMixed(
        widths=(Width(4, 4), Width(8, 8)),
        # Two layers of three at W4A4, one pass, the third at W8A8, four: the share of the paper's App. D.4.
        budget=Budget(2, "passes", "layer"),
        name="vidit-q-mp-w4a4",
        title="ViDiT-Q-MP W4A4/W8A8 INT, widths by layer and timesteps, two thirds W4A4",
    ),
    ViDiTQMixed(
        rule="mse",
        name="vidit-q-mse-w4a8",
        title="ViDiT-Q W4A8/W8A8 INT, widths by plain MSE, 6.2 bits a weight",
    ),
    ViDiTQMixed(
        rule="released",
        name="vidit-q-mp-released",
        title="ViDiT-Q-MP W4A8/W8A8 INT as its released configuration",
    ),
)
