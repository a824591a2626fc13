"""Is metric decoupling true of a model, and is it worth anything? Both questions of ViDiT-Q-MP, measured.

ViDiT-Q (arXiv 2406.02540) observes that cross-attention moves the content metric, spatial attention and FFN
the appearance, temporal attention the motion, and concludes that layers should be ranked within such a group
by its own metric. Here every group is quantized alone, on the machine, and the assignment that follows from
the observation runs against the one by plain squared error, under the same budget and from the same noise.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from fpsim.array.config import ArrayConfig
from fpsim.dit.hooks import GROUPS, BlockModel, Group, LinearLike, layer_group
from fpsim.quant.calibration import Calibration
from fpsim.quant.mixed import ViDiTQMixed, machine_functions
from fpsim.quant.mixed_assignment import Assignment, Budget, LayerSize, layer_sizes
from fpsim.quant.mixed_plan import RULES, Rule, plan
from fpsim.quant.sensitivity import Functions, Sensitivity, Trials
from fpsim.quant.sensitivity_quality import Changes, Compare, Measure, measure_of
from fpsim.quant.viditq_layer import Width


@dataclass(frozen=True)
class Estimate:
    """A mean over samples and its standard error."""

    mean: float
    error: float

    @classmethod
    def of(cls, values: NDArray[np.float64]) -> Estimate:
        """From at least two values (N,)."""
        return cls(float(values.mean()), float(values.std(ddof=1) / np.sqrt(len(values))))


Estimates = dict[Measure, Estimate]


@dataclass(frozen=True, eq=False)
class Decoupling:
    """What was found; every number is a paired change against floating-point samples of the same noise.

    Attributes:
        sensitivity: what the assignments follow from.
        width: at which the groups were quantized.
        groups: group to how much each measure changes when that group alone is quantized.
        whole: when all layers are.
        plans: rule to its assignment under the budget.
        outcomes: rule to how much each measure changes under its assignment.
        difference: the decoupled rule's changes less plain MSE's, sample by sample: below 0, it is better.
    """

    sensitivity: Sensitivity
    width: Width
    groups: dict[Group, Estimates]
    whole: Estimates
    plans: dict[Rule, Assignment]
    outcomes: dict[Rule, Estimates]
    difference: Estimates

    def relative(self, group: Group, measure: Measure) -> float:
        """A group's change as a part of the change when everything is quantized; the paper's heat map."""
        whole = self.whole[measure].mean
        return self.groups[group][measure].mean / whole if whole > 0 else 0.0

    def heat_map(self) -> NDArray[np.float64]:
        """float64 (groups, measures), `relative`, in the order of `groups` and `whole`."""
        return np.array([[self.relative(group, measure) for measure in self.whole] for group in self.groups])

    def moves_most(self, measure: Measure) -> Group:
        """The group that moves a measure most."""
        return max(self.groups, key=lambda group: self.groups[group][measure].mean)

    def own(self, group: Group) -> Measure:
        """The measure that the paper ranks a group's layers by."""
        return measure_of(group, tuple(self.whole))


def decoupling_of(
    recipe: ViDiTQMixed,
    model: BlockModel,
    calibration: Calibration,
    config: ArrayConfig,
    compare: Compare,
    measured: tuple[Tensor, Tensor],
    judged: tuple[Tensor, Tensor],
    *,
    steps: int = 20,
    progress: Callable[[int, int], None] | None = None,
) -> Decoupling:
    """The whole experiment on a model: code its layers, measure sensitivities, then `measure_decoupling`.

    Args:
        recipe: widths, the narrowest first, budget, ranges, and how layers are coded; its rule is not used.
        model: the floating-point model.
        calibration: of the model.
        config: the machine.
        compare: the measures (`fpsim.quant.sensitivity_quality`).
        measured: starting noise and labels of the samples for sensitivities; `recipe.store` may keep those.
        judged: those of the samples to judge by, others.
        steps: DDIM steps.
        progress: called after every run of the sampler with (runs done, runs in all), of sensitivities first,
            then of the experiment.
    """
    factors = recipe.base.factors(model, calibration)
    programs = recipe.programs(model, calibration, factors, config)
    return measure_decoupling(
        Trials.of(model, *judged, compare, steps),
        {width: machine_functions(model, own, factors, config) for width, own in programs.items()},
        recipe.sensitivity(model, programs, factors, config, *measured, compare, steps, progress),
        recipe.budget,
        layer_sizes(model, *measured),
        progress=progress,
    )


def measure_decoupling(
    trials: Trials,
    functions: Functions,
    sensitivity: Sensitivity,
    budget: Budget,
    sizes: Mapping[str, LayerSize],
    *,
    progress: Callable[[int, int], None] | None = None,
) -> Decoupling:
    """Quantize group by group, then by either rule.

    Args:
        trials: the samples to judge by, others than the sensitivities were measured on.
        functions: width to layer name to what runs in the layer's place; groups are quantized at the first.
        sensitivity: of the same layers and widths.
        budget: of both assignments.
        sizes: of the layers.
        progress: called after every run of the sampler with (runs done, runs in all).

    Raises:
        ValueError: a budget below the narrowest widths.
    """
    narrow = next(iter(functions))
    present = [group for group in GROUPS if any(layer_group(name) == group for name in sensitivity.layers)]
    plans = {rule: plan(sensitivity, budget, sizes, rule) for rule in RULES}
    found: list[Changes] = []
    by_group: list[Group | None] = [*present, None]
    runs = [
        *(_whole_run(trials, _of_group(functions[narrow], group)) for group in by_group),
        *(_by_range(functions, plans[rule]) for rule in RULES),
    ]
    for run in runs:
        found.append(trials.changes(run))
        if progress is not None:
            progress(len(found), len(runs))
    alone = {group: _estimates(changes) for group, changes in zip(present, found, strict=False)}
    outcomes = dict(zip(RULES, found[-len(RULES) :], strict=True))
    difference: Changes = {
        measure: values - outcomes["mse"][measure] for measure, values in outcomes["decoupled"].items()
    }
    return Decoupling(
        sensitivity=sensitivity,
        width=narrow,
        groups=alone,
        whole=_estimates(found[len(present)]),
        plans=plans,
        outcomes={rule: _estimates(changes) for rule, changes in outcomes.items()},
        difference=_estimates(difference),
    )


def _estimates(changes: Changes) -> Estimates:
    return {measure: Estimate.of(values) for measure, values in changes.items()}


def _of_group(layers: Mapping[str, LinearLike], group: Group | None) -> dict[str, LinearLike]:
    """The layers of a group; of all groups for None."""
    return {name: run for name, run in layers.items() if group is None or layer_group(name) == group}


def _whole_run(trials: Trials, layers: dict[str, LinearLike]) -> dict[int, dict[str, LinearLike]]:
    return dict.fromkeys(range(len(trials.timesteps)), layers)


def _by_range(functions: Functions, assignment: Assignment) -> dict[int, dict[str, LinearLike]]:
    """What stands for every layer at each step index under an assignment."""
    by_step: dict[int, dict[str, LinearLike]] = {}
    for index, steps in enumerate(assignment.ranges):
        layers = {name: functions[width][name] for name, width in assignment.at(index).items()}
        by_step |= dict.fromkeys(steps, layers)
    return by_step
