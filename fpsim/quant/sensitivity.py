"""How much the samples change when one layer is quantized, and only during one range of timesteps.

A layer runs on the machine, bit by bit, during its range; everything else is the floating-point model. The
floating-point run is kept state by state, so a trial starts at its range's first step. Every trial uses the
same noise as the floating-point samples that it is compared with.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from fpsim.dit.diffusion import ddim_timesteps
from fpsim.dit.hooks import BlockModel, LinearLike, block_linears, with_linears
from fpsim.quant.sensitivity_file import read_changes, write_changes
from fpsim.quant.sensitivity_quality import Changes, Compare, Measure
from fpsim.quant.sensitivity_sampler import trajectory
from fpsim.quant.viditq_layer import Width

Functions = Mapping[Width, Mapping[str, LinearLike]]
RANGES = 4  # of the sampler's steps, of equal length: of 20 steps, 19-15, 14-10, 9-5, 4-0


@dataclass(frozen=True, eq=False)
class Sensitivity:
    """What was measured: L layers, R ranges, W widths, N samples.

    Attributes:
        layers: names, in execution order.
        ranges: of indices into the sampler's steps, in sampling order.
        widths: the bit widths tried.
        changes: measure to float64 (L, R, W, N), how much each sample changed.
    """

    layers: tuple[str, ...]
    ranges: tuple[tuple[int, ...], ...]
    widths: tuple[Width, ...]
    changes: dict[Measure, NDArray[np.float64]]

    @property
    def measures(self) -> tuple[Measure, ...]:
        """What was measured."""
        return tuple(self.changes)

    def mean(self, measure: Measure) -> NDArray[np.float64]:
        """float64 (L, R, W), the mean change over the samples."""
        result: NDArray[np.float64] = self.changes[measure].mean(axis=-1)
        return result

    def among(self, widths: tuple[Width, ...]) -> Sensitivity:
        """The same of fewer widths, in this order.

        Raises:
            ValueError: a width that was not tried.
        """
        missing = [str(width) for width in widths if width not in self.widths]
        if missing:
            raise ValueError(
                f"widths: {', '.join(missing)}, expected some of {', '.join(map(str, self.widths))}"
            )
        kept = [self.widths.index(width) for width in widths]
        changes = {measure: values[:, :, kept] for measure, values in self.changes.items()}
        return Sensitivity(self.layers, self.ranges, widths, changes)

    def standard_error(self, measure: Measure) -> NDArray[np.float64]:
        """float64 (L, R, W), of that mean."""
        values = self.changes[measure]
        result: NDArray[np.float64] = values.std(axis=-1, ddof=1) / np.sqrt(values.shape[-1])
        return result


def equal_ranges(steps: int, count: int = RANGES) -> tuple[tuple[int, ...], ...]:
    """Step indices 0 to steps - 1 in so many ranges, the first ones longer by one where they must be."""
    if not 1 <= count <= steps:
        raise ValueError(f"count={count!r}: expected 1 to {steps}, the steps")
    return tuple(tuple(int(i) for i in part) for part in np.array_split(np.arange(steps), count))


class Switched:
    """A model whose layers can be replaced for a while, called as the model is: eps(x, t, labels)."""

    def __init__(self, model: BlockModel) -> None:
        self._active: dict[int, Mapping[str, LinearLike]] = {}
        self._now: Mapping[str, LinearLike] = {}
        self._model = with_linears(
            model, {name: self._dispatch(name, linear) for name, linear in block_linears(model).items()}
        )

    def _dispatch(self, name: str, linear: nn.Linear) -> LinearLike:
        def run(x: Tensor) -> Tensor:
            function = self._now.get(name)
            return linear.forward(x) if function is None else function(x)

        return run

    def __call__(self, x: Tensor, t: Tensor, labels: Tensor) -> Tensor:
        """Predict the noise, by what stands for each layer at this timestep; one for all samples."""
        self._now = self._active.get(int(t[0]), {})
        result: Tensor = self._model(x, t, labels)
        return result

    @contextmanager
    def replaced(self, functions: Mapping[int, Mapping[str, LinearLike]]) -> Iterator[None]:
        """Within the context, these functions stand for these layers, by timestep."""
        self._active = dict(functions)
        try:
            yield
        finally:
            self._active = {}


@dataclass(frozen=True, eq=False)
class Trials:
    """A model to try layers in, and the floating-point run that every trial is held to.

    Attributes:
        model: with layers that can be replaced.
        timesteps: the sampler's.
        labels: int64 (N, ...), conditions of the samples.
        states: the floating-point run before every step, and its samples.
        compare: how samples are compared.
    """

    model: Switched
    timesteps: tuple[int, ...]
    labels: Tensor
    states: list[Tensor]
    compare: Compare

    @classmethod
    def of(
        cls, model: BlockModel, noise: Tensor, labels: Tensor, compare: Compare, steps: int = 20
    ) -> Trials:
        """Run the floating-point model from this noise."""
        timesteps, switched = ddim_timesteps(steps), Switched(model)
        return cls(switched, timesteps, labels, trajectory(switched, noise, labels, timesteps), compare)

    def samples(self, functions: Mapping[int, Mapping[str, LinearLike]]) -> Tensor:
        """Samples with functions in the place of layers; `functions` by step index, not timestep."""
        used = sorted(step for step, layers in functions.items() if layers)
        if not used:
            return self.states[-1]
        by_timestep = {self.timesteps[step]: functions[step] for step in used}
        with self.model.replaced(by_timestep):
            return trajectory(self.model, self.states[used[0]], self.labels, self.timesteps, used[0])[-1]

    def changes(self, functions: Mapping[int, Mapping[str, LinearLike]]) -> Changes:
        """How much every sample changes."""
        return self.compare(self.states[-1], self.samples(functions), self.labels)


def measure_sensitivity(
    trials: Trials,
    functions: Functions,
    ranges: tuple[tuple[int, ...], ...],
    *,
    store: Path | None = None,
    key: str = "",
    progress: Callable[[int, int], None] | None = None,
) -> Sensitivity:
    """Try every layer alone in every range at every width.

    Args:
        trials: model, samples and how they are compared.
        functions: width to layer name to what runs in the layer's place; the same layers for every width.
        ranges: of step indices, in sampling order.
        store: file of what was measured already, brought up to date after every layer; None: no file.
        key: of everything that the result depends on; a store with another key is measured anew.
        progress: called after every trial with (trials done, trials in all).
    """
    widths = tuple(functions)
    layers = tuple(functions[widths[0]])
    done = read_changes(store, key) if store is not None else {}
    count = len(layers) * len(ranges) * len(widths)
    for index, name in enumerate(layers):
        if name not in done:
            tried = []
            for steps in ranges:
                for width in widths:
                    one = {name: functions[width][name]}
                    tried.append(trials.changes(dict.fromkeys(steps, one)))
                    if progress is not None:
                        progress(index * len(ranges) * len(widths) + len(tried), count)
            done[name] = {
                measure: np.stack([trial[measure] for trial in tried]).reshape(len(ranges), len(widths), -1)
                for measure in tried[0]
            }
            if store is not None:
                write_changes(store, key, done)
        elif progress is not None:
            progress((index + 1) * len(ranges) * len(widths), count)
    changes = {measure: np.stack([done[name][measure] for name in layers]) for measure in done[layers[0]]}
    return Sensitivity(layers, ranges, widths, changes)
