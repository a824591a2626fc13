"""Pictures of the report with what they show in words."""

from __future__ import annotations

from dataclasses import dataclass

from fpsim.report.data import ModelQuality, UnitArea, WorkloadCost
from fpsim.report.drawing import data_uri
from fpsim.report.figures import (
    MAX_LAYERS,
    common_prefix,
    epsilon_sqnr_figure,
    layer_energy_figure,
    layer_sqnr_figure,
)
from fpsim.report.findings import is_synthetic, misleading, model_label, quantized, ranked, typical
from fpsim.report.images import image_grid, png_size, shown_images
from fpsim.report.pie import area_pie, area_slices
from fpsim.report.tables import (
    Table,
    add_energy,
    component_table,
    epsilon_sqnr_table,
    layer_sqnr_table,
    quality_table,
    recipe_titles,
    workload_table,
)
from fpsim.report.text import counted, decibels, energy_scale, fixed, integer, percent


@dataclass(frozen=True)
class Picture:
    """An image and its words.

    Attributes:
        source: data URI; `dark` the same for dark themes, empty if the image adapts itself.
        alt: what the picture says, for those who do not see it.
        caption: what is to be seen.
        width: in CSS pixels, 0 for the page's width.
        least: CSS pixels below which it scrolls instead of shrinking.
    """

    source: str
    alt: str
    caption: str
    dark: str = ""
    width: int = 0
    least: int = 0


@dataclass(frozen=True)
class ModelView:
    """A model's part of every section."""

    name: str
    label: str
    title: str
    synthetic: bool
    images: Picture | None
    table: Table
    recipes: list[tuple[str, str]]
    misleading: list[str]
    layers: Picture | None
    layer_table: Table
    epsilon: Picture | None
    epsilon_table: Table


@dataclass(frozen=True)
class WorkloadView:
    """A workload's part of the cost section."""

    name: str
    title: str
    figure: Picture | None
    table: Table
    components: Table


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _images(model: ModelQuality) -> Picture | None:
    if not model.rows or not shown_images(model):
        return None
    light = image_grid(model)
    shown = shown_images(model)
    width = png_size(light)[0] // 2
    names = ", ".join(row.name for row in ranked(model))
    caption = (
        f"First {counted(shown, 'sample')} of {integer(model.images)}, one column per starting noise, one "
        f"row per arithmetic. An arithmetic that keeps the sampling path shows the same digit in the same "
        f"shape as FP32 above it; every pixel is drawn as it is (nearest interpolation)."
    )
    alt = f"Samples of {model_label(model)} in rows: {names}; {shown} images each."
    return Picture(data_uri(light), alt, caption, data_uri(image_grid(model, "dark")), width, width * 2 // 3)


def _sqnr_words(name: str, values: dict[str, float] | dict[int, float]) -> str:
    lowest = min(values.items(), key=lambda item: item[1])
    return f"{name}: median {decibels(typical(values))} dB, lowest {decibels(lowest[1])} dB at {lowest[0]}"


def _layers(model: ModelQuality) -> Picture | None:
    rows = [row for row in quantized(model) if row.layer_sqnr_db]
    if not rows:
        return None
    names = list(dict.fromkeys(name for row in rows for name in row.layer_sqnr_db))
    prefix = common_prefix(names)
    words = "; ".join(_sqnr_words(row.name, row.layer_sqnr_db) for row in rows)
    short = f" Names follow “{prefix}”." if prefix else ""
    caption = (
        f"SQNR of every layer's output against the same layer in FP32; higher is better, 6 dB is one bit. "
        f"{words}. The lowest bars are the layers that a mixed-precision recipe would raise first.{short}"
    )
    alt = f"Bars of SQNR per layer of {model_label(model)}. {words}."
    source = data_uri(layer_sqnr_figure(model))
    return Picture(source, alt, caption, least=max(640, 22 * len(names)))


def _epsilon(model: ModelQuality) -> Picture | None:
    rows = [row for row in quantized(model) if row.epsilon_sqnr_db]
    if not rows:
        return None
    words = "; ".join(
        _sqnr_words(row.name, {f"t = {t}": value for t, value in row.epsilon_sqnr_db.items()}) for row in rows
    )
    caption = (
        f"SQNR of the predicted noise at every timestep, FP32 being the reference. {words}. "
        f"Where a line falls, the arithmetic hurts that part of the sampling path most."
    )
    alt = f"Lines of epsilon SQNR against timestep for {model_label(model)}. {words}."
    return Picture(data_uri(epsilon_sqnr_figure(model)), alt, caption, least=560)


def model_view(model: ModelQuality) -> ModelView:
    """Everything that the report says about a model."""
    return ModelView(
        name=model.name,
        label=model_label(model),
        title=_capital(model.title),
        synthetic=is_synthetic(model),
        images=_images(model),
        table=quality_table(model),
        recipes=recipe_titles(model),
        misleading=misleading(model),
        layers=_layers(model),
        layer_table=layer_sqnr_table(model),
        epsilon=_epsilon(model),
        epsilon_table=epsilon_sqnr_table(model),
    )


def area_picture(areas: list[UnitArea]) -> Picture | None:
    """The area pie, with the units that "other" merges named in its caption; None without area."""
    if not sum(unit.area_um2 for unit in areas) > 0:
        return None
    slices, merged = area_slices(areas)
    words = "; ".join(f"{part.name} {percent(part.share)}" for part in slices)
    caption = "Cell area by kind of unit: µm², equivalent two-input NAND gates, share of the whole."
    if merged:
        parts = "; ".join(
            f"{part.name}: {fixed(part.area_um2, 1)} µm² ({percent(part.share)})" for part in merged
        )
        caption += f" “other” merges {parts}."
    return Picture(data_uri(area_pie(areas)), f"Pie of cell area. {words}.", caption, least=680)


def _energy(workload: WorkloadCost) -> Picture | None:
    if not workload.layers:
        return None
    totals = [(layer.layer, add_energy(list(layer.energy_pj.values()))) for layer in workload.layers]
    name, most = max(totals, key=lambda item: item[1].mid)
    scale = energy_scale(most.mid)
    words = (
        f"{name} costs most: {scale.quantity(most.mid)}, band {scale.number(most.low)} to "
        f"{scale.quantity(most.high)}"
    )
    caption = (
        f"Energy of every layer for one forward pass of one image, stacked by component at mid; whiskers run "
        f"from the sum of the lows to the sum of the highs. {words}."
    )
    if len(workload.layers) > MAX_LAYERS:
        caption += f" Only the {MAX_LAYERS} layers that cost most are drawn."
    prefix = common_prefix([layer.layer for layer in workload.layers])
    if prefix:
        caption += f" Names follow “{prefix}”."
    alt = f"Stacked bars of energy per layer of {workload.name}. {words}."
    least = max(640, 22 * min(MAX_LAYERS, len(workload.layers)))
    return Picture(data_uri(layer_energy_figure(workload)), alt, caption, least=least)


def workload_view(workload: WorkloadCost, config: dict[str, object]) -> WorkloadView:
    """Everything that the report says about a workload."""
    return WorkloadView(
        workload.name,
        _capital(workload.title),
        _energy(workload),
        workload_table(workload, config),
        component_table(workload),
    )
