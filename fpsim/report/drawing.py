"""Drawing with matplotlib's objects: SVG that follows the reader's light or dark theme, and exact PNGs.

Nothing here touches pyplot. An SVG is drawn in placeholder colours which then become CSS variables, so one
image serves both themes.
"""

from __future__ import annotations

import base64
import io
import math
import re
from collections.abc import Callable, Sequence
from typing import Any

import matplotlib
from matplotlib.figure import Figure

# Placeholder colours, replaced by CSS variables; no series may use them.
INK, FAINT, PAPER = "#010203", "#040506", "#070809"
_VARIABLES = {INK: "--ink", FAINT: "--faint", PAPER: "--paper"}
LIGHT = {"--ink": "#1d2430", "--faint": "#d4d9e0", "--paper": "#ffffff"}
DARK = {"--ink": "#dfe4ec", "--faint": "#3a4352", "--paper": "#151a22"}
FONTS = "system-ui, -apple-system, 'Segoe UI', 'Helvetica Neue', 'DejaVu Sans', sans-serif"

# Told apart by readers with colour-vision deficiency, and at least 3:1 against both papers.
PALETTE = ("#3b7dd8", "#d9692b", "#27967f", "#b0559b", "#8a7f1f", "#d1495b", "#6f7d8f", "#7a62c9")
MARKERS = "osD^vPX*"

_SETTINGS: Any = {
    "text.parse_math": False,
    "svg.fonttype": "none",
    "svg.hashsalt": "fpsim",
    "font.family": "DejaVu Sans",
    "font.size": 9.0,
    "text.color": INK,
    "axes.edgecolor": FAINT,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "axes.axisbelow": True,
    "grid.color": FAINT,
    "grid.linewidth": 0.6,
    "xtick.color": FAINT,
    "xtick.labelcolor": INK,
    "ytick.color": FAINT,
    "ytick.labelcolor": INK,
    "legend.frameon": False,
    "hatch.linewidth": 0.8,
    "hatch.color": PAPER,
}


def plain(text: str) -> str:
    """The text without characters that an XML file may not hold; mathematics is off, so `$` is a dollar."""
    return "".join(c if c.isprintable() else "\ufffd" for c in text)


def colour(index: int) -> str:
    """The colour of series number `index`; repeats after eight."""
    return PALETTE[index % len(PALETTE)]


def _css(theme: dict[str, str]) -> str:
    return ":root{" + ";".join(f"{name}:{value}" for name, value in theme.items()) + "}"


def themed_svg(width: float, height: float, draw: Callable[[Figure], None]) -> str:
    """An SVG document.

    Args:
        width: in inches of 72 points; text is 9 points.
        height: the same.
        draw: fills the figure, in any colour of `PALETTE` and INK, FAINT and PAPER.
    """
    buffer = io.StringIO()
    nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
    with matplotlib.rc_context(_SETTINGS):
        figure = Figure(figsize=(width, height), layout="constrained")
        draw(figure)
        figure.savefig(buffer, format="svg", transparent=True, metadata=nothing)
    svg = buffer.getvalue()
    svg = svg[svg.index("<svg") :]
    for placeholder, variable in _VARIABLES.items():
        svg = svg.replace(placeholder, f"var({variable})")
    svg = svg.replace("'DejaVu Sans'", FONTS)
    style = f"<style>{_css(LIGHT)}@media screen and (prefers-color-scheme:dark){{{_css(DARK)}}}</style>"
    return re.sub(r"(<svg\b[^>]*>)", lambda match: match[1] + style, svg, count=1)


def png(width: int, height: int, draw: Callable[[Figure], None], paper: str) -> bytes:
    """A PNG of width × height pixels on a paper of that colour; `draw` sees 100 pixels per inch."""
    buffer = io.BytesIO()
    with matplotlib.rc_context(_SETTINGS):
        figure = Figure(figsize=(width / 100, height / 100), dpi=100, facecolor=paper)
        draw(figure)
        figure.savefig(buffer, format="png", dpi=100, metadata={"Software": None})
    return buffer.getvalue()


def text_width(texts: Sequence[str], points: float) -> int:
    """Pixels at 100 per inch that the widest of the texts takes in a PNG."""
    with matplotlib.rc_context(_SETTINGS):
        figure = Figure(figsize=(1, 1), dpi=100)
        widths = [figure.text(0, 0, text, fontsize=points).get_window_extent().width for text in texts]
    return math.ceil(max(widths))


def data_uri(content: bytes | str) -> str:
    """An SVG document (str) or a PNG (bytes) as the source of an image."""
    kind, data = ("svg+xml", content.encode()) if isinstance(content, str) else ("png", content)
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"
