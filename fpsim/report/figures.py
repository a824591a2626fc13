"""The report's plots, each an SVG document that follows the reader's theme."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fpsim.report.data import LayerCostRow, ModelQuality, Quality, WorkloadCost
from fpsim.report.drawing import FAINT, INK, MARKERS, PAPER, colour, plain, themed_svg
from fpsim.report.findings import REFERENCE, quantized
from fpsim.report.tables import add_energy
from fpsim.report.text import energy_scale

WIDTH = 10.0
MAX_LAYERS = 60


def _recipes(model: ModelQuality) -> list[tuple[str, Quality]]:
    """Recipes with their colours: the model's own order, so a recipe looks the same in every figure."""
    names = [row.name for row in model.rows if row.name != REFERENCE]
    return [(colour(names.index(row.name)), row) for row in quantized(model)]


def _ceiling(values: Iterable[float]) -> float:
    """Where an infinite SQNR is drawn: above every finite one."""
    finite = [value for value in values if math.isfinite(value)]
    return 1.1 * max(finite, default=0.0) + 5.0


def common_prefix(names: Sequence[str]) -> str:
    """The dotted prefix that all names share, so that tick labels need not repeat it."""
    parts = [name.split(".")[:-1] for name in names]
    shared: list[str] = []
    for column in zip(*parts, strict=False):
        if len(set(column)) > 1:
            break
        shared.append(column[0])
    return "".join(f"{part}." for part in shared)


def _layer_ticks(axes: Axes, names: Sequence[str]) -> None:
    prefix = len(common_prefix(names))
    axes.set_xticks(
        range(len(names)),
        [plain(name[prefix:]) for name in names],
        rotation=55,
        ha="right",
        rotation_mode="anchor",
    )
    axes.tick_params(axis="x", length=0)
    axes.set_xlim(-0.7, len(names) - 0.3)


def _legend(figure: Figure, axes: Axes) -> None:
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(
        handles, labels, loc="outside upper left", ncols=min(6, max(1, len(labels))), handlelength=1.2
    )


def _layers_width(count: int) -> float:
    return max(WIDTH, 0.3 * count)


def layer_sqnr_figure(model: ModelQuality) -> str:
    """Bars of every layer's SQNR, a group per layer, a colour per recipe; an infinite one is marked ∞."""
    recipes = [(paint, row) for paint, row in _recipes(model) if row.layer_sqnr_db]
    names = list(dict.fromkeys(name for _, row in recipes for name in row.layer_sqnr_db))
    top = _ceiling(value for _, row in recipes for value in row.layer_sqnr_db.values())
    width = 0.8 / max(1, len(recipes))

    def draw(figure: Figure) -> None:
        axes = figure.add_subplot()
        for i, (paint, row) in enumerate(recipes):
            values = [row.layer_sqnr_db.get(name, math.nan) for name in names]
            places = np.arange(len(names)) + (i - (len(recipes) - 1) / 2) * width
            heights = [top if math.isinf(value) else value for value in values]
            axes.bar(places, heights, width * 0.92, color=paint, label=plain(row.name))
            for place, value in zip(places, values, strict=True):
                if math.isinf(value):
                    axes.text(place, top, "∞", ha="center", va="bottom")
        axes.axhline(0, color=INK, linewidth=0.8)
        axes.set_ylabel("SQNR of the layer's output (dB)")
        _layer_ticks(axes, names)
        _legend(figure, axes)

    return themed_svg(_layers_width(len(names)), 3.9, draw)


def epsilon_sqnr_figure(model: ModelQuality) -> str:
    """Lines of the predicted noise's SQNR against the timestep, in sampling order; infinite ones on top."""
    recipes = [(paint, row) for paint, row in _recipes(model) if row.epsilon_sqnr_db]
    top = _ceiling(value for _, row in recipes for value in row.epsilon_sqnr_db.values())

    def draw(figure: Figure) -> None:
        axes = figure.add_subplot()
        for i, (paint, row) in enumerate(recipes):
            steps = sorted(row.epsilon_sqnr_db, reverse=True)
            values = [row.epsilon_sqnr_db[step] for step in steps]
            finite = [value if math.isfinite(value) else math.nan for value in values]
            axes.plot(
                steps,
                finite,
                color=paint,
                marker=MARKERS[i % len(MARKERS)],
                markersize=5,
                label=plain(row.name),
            )
            for step, value in zip(steps, values, strict=True):
                if math.isinf(value):
                    axes.text(step, top, "∞", ha="center", va="center", color=paint, fontsize=13)
                    axes.update_datalim([(step, top)])
        axes.autoscale_view()
        axes.invert_xaxis()
        axes.set_xlabel("timestep t (sampling runs from left to right)")
        axes.set_ylabel("SQNR of the predicted noise ε (dB)")
        _legend(figure, axes)

    return themed_svg(WIDTH, 3.6, draw)


def shown_layers(workload: WorkloadCost) -> list[LayerCostRow]:
    """The layers of the energy figure: all of them, or the `MAX_LAYERS` that cost most, in their order."""
    if len(workload.layers) <= MAX_LAYERS:
        return workload.layers
    cost = {id(layer): add_energy(list(layer.energy_pj.values())).mid for layer in workload.layers}
    least = sorted(cost.values(), reverse=True)[MAX_LAYERS - 1]
    return [layer for layer in workload.layers if cost[id(layer)] >= least][:MAX_LAYERS]


def layer_energy_figure(workload: WorkloadCost) -> str:
    """Stacked bars of every layer's energy by component, with whiskers from low to high of the sum."""
    layers = shown_layers(workload)
    components = list(dict.fromkeys(name for layer in layers for name in layer.energy_pj))
    totals = [add_energy(list(layer.energy_pj.values())) for layer in layers]
    scale = energy_scale(max((total.high for total in totals), default=0))
    places = np.arange(len(layers))

    def draw(figure: Figure) -> None:
        axes = figure.add_subplot()
        base = np.zeros(len(layers))
        for i, name in enumerate(components):
            mids = [layer.energy_pj[name].mid if name in layer.energy_pj else 0.0 for layer in layers]
            heights = np.array(mids) / scale.factor
            hatch = "//" if i >= 8 else None
            axes.bar(
                places, heights, 0.74, bottom=base, color=colour(i), hatch=hatch, label=plain(name),
                edgecolor=PAPER, linewidth=0.5,
            )  # fmt: skip
            base += heights
        down = [max(0.0, total.mid - total.low) / scale.factor for total in totals]
        up = [max(0.0, total.high - total.mid) / scale.factor for total in totals]
        axes.errorbar(places, base, yerr=[down, up], fmt="none", ecolor=INK, elinewidth=0.9, capsize=2.5)
        axes.set_ylim(bottom=0)
        axes.set_ylabel(f"energy ({scale.unit})")
        axes.spines["bottom"].set_color(FAINT)
        _layer_ticks(axes, [layer.layer for layer in layers])
        _legend(figure, axes)

    return themed_svg(_layers_width(len(layers)), 3.9, draw)
