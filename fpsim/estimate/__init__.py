"""Area, cycles and energy: counts times characterized unit costs, always low, mid and high."""

from fpsim.estimate.band import Band
from fpsim.estimate.characterize import characterize, rtl_hash
from fpsim.estimate.costs import UnitArea, UnitCosts, committed_units, find_units, load_units
from fpsim.estimate.estimate import ASSUMPTIONS, PARTS, LayerCost, Total, estimate, total_cost
from fpsim.estimate.published import Published, published
from fpsim.estimate.scaling import scaled
from fpsim.estimate.shapes import Layer, ModelShape, Operands, Shape, digits, dit, glyphs
from fpsim.estimate.shapes_text import TextShape, pixart_alpha, pixart_sigma, stdit

__all__ = [
    "ASSUMPTIONS",
    "PARTS",
    "Band",
    "Layer",
    "LayerCost",
    "ModelShape",
    "Operands",
    "Published",
    "Shape",
    "TextShape",
    "Total",
    "UnitArea",
    "UnitCosts",
    "characterize",
    "committed_units",
    "digits",
    "dit",
    "estimate",
    "find_units",
    "glyphs",
    "load_units",
    "pixart_alpha",
    "pixart_sigma",
    "published",
    "rtl_hash",
    "scaled",
    "stdit",
    "total_cost",
]
