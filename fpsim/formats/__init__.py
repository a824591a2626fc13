"""What the bits mean. Imports nothing of ours."""

from fpsim.formats.accumulator import Accumulator
from fpsim.formats.presets import PRESETS, get_accumulator
from fpsim.formats.spec import NAN, NEG_INF, POS_INF, Format
from fpsim.formats.table import FORMATS, get

__all__ = [
    "FORMATS",
    "NAN",
    "NEG_INF",
    "POS_INF",
    "PRESETS",
    "Accumulator",
    "Format",
    "get",
    "get_accumulator",
]
