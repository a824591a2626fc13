"""Our energy per multiply-accumulate against what others have published, over the node."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.figure import Figure

from fpsim.estimate.band import Band
from fpsim.estimate.published import Published, published

MARKERS = {"element": "o", "cluster": "s", "chip": "^"}
OURS, THEIRS = "C0", "0.35"


@dataclass(frozen=True)
class Ours:
    """One of our figures: what it is, its node in nm and its energy per multiply-accumulate in fJ."""

    label: str
    node_nm: float
    fj_per_mac: Band


def calibration_figure(ours: Sequence[Ours], others: Sequence[Published] | None = None) -> Figure:
    """Energy per multiply-accumulate over the node, both logarithmic; ours with their bands.

    Args:
        ours: our figures, one or more.
        others: published ones; None: all that are known.
    """
    if not ours:
        raise ValueError("ours: no figure; expected one or more")
    figure = Figure(figsize=(9.0, 5.4))
    axes = figure.add_subplot()
    for other in published() if others is None else others:
        face = THEIRS if other.silicon else "none"
        marker = MARKERS[other.scope]
        axes.plot(other.node_nm, other.fj_per_mac, marker, markerfacecolor=face, markeredgecolor=THEIRS)
        note = f"{other.name} ({other.formats})"
        axes.annotate(note, (other.node_nm, other.fj_per_mac), (6, 3), textcoords="offset points", fontsize=7)
    for place, item in enumerate(ours):
        band = item.fj_per_mac
        ends = [[band.mid - band.low], [band.high - band.mid]]
        axes.errorbar(
            item.node_nm, band.mid, yerr=ends, fmt="D", color=OURS, capsize=3,
            label="ours, low to high" if place == 0 else None,
        )  # fmt: skip
        axes.annotate(
            item.label, (item.node_nm, band.mid), (-7, -3), textcoords="offset points", fontsize=7,
            color=OURS, ha="right",
        )  # fmt: skip
    for scope, marker in MARKERS.items():
        axes.plot([], [], marker, color=THEIRS, markerfacecolor="none", label=f"published, {scope}")
    axes.plot([], [], "o", color=THEIRS, label="filled: silicon")
    axes.set_xscale("log")
    axes.set_yscale("log")
    ticks = sorted({item.node_nm for item in ours} | {5, 7, 12, 16, 28, 45, 65, 130, 180})
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.minorticks_off()
    axes.set_xlabel("node, nm")
    axes.set_ylabel("energy per multiply-accumulate, fJ")
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8, loc="upper left")
    figure.tight_layout()
    return figure
