"""Area, cycles and energy: counts times characterized unit costs, always low, mid and high."""

from fpsim.estimate.band import Band
from fpsim.estimate.characterize import characterize, rtl_hash
from fpsim.estimate.costs import UnitArea, UnitCosts, committed_units, find_units, load_units
from fpsim.estimate.estimate import ASSUMPTIONS, PARTS, LayerCost, Total, estimate, total_cost
from fpsim.estimate.shapes import Layer, ModelShape, Operands, digits, dit

__all__ = [
    "ASSUMPTIONS",
    "PARTS",
    "Band",
    "Layer",
    "LayerCost",
    "ModelShape",
    "Operands",
    "Total",
    "UnitArea",
    "UnitCosts",
    "characterize",
    "committed_units",
    "digits",
    "dit",
    "estimate",
    "find_units",
    "load_units",
    "rtl_hash",
    "total_cost",
]
