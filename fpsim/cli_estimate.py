"""Options of `fpsim estimate`, and one of `fpsim characterize`.

None stands for: as the file of settings has it, or the default.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

# Shown beside the options; the defaults themselves are those of fpsim.estimate.settings.
DEFAULTS = {
    "model": "dit-xl/2",
    "resolution": "256",
    "steps": "1",
    "library": "asap7",
    "rows": "16",
    "cols": "16",
}
MODELS = "digits, glyphs, dit-s/2 ... dit-xl/8, pixart-alpha, pixart-sigma, stdit."

Model = Annotated[str | None, typer.Option(help=MODELS, show_default=DEFAULTS["model"])]
Resolution = Annotated[
    int | None, typer.Option(help="Image side in pixels.", show_default=DEFAULTS["resolution"])
]
Frames = Annotated[int | None, typer.Option(help="Frames of a video (stdit).", show_default="16")]
Steps = Annotated[int | None, typer.Option(help="Sampler steps of an image.", show_default=DEFAULTS["steps"])]
Guidance = Annotated[
    bool | None,
    typer.Option(
        "--guidance/--no-guidance",
        help="Classifier-free guidance: two forward passes a step.",
        show_default=False,
    ),
]
Library = Annotated[
    str | None, typer.Option(help="Characterized cell library.", show_default=DEFAULTS["library"])
]
Units = Annotated[Path | None, typer.Option(help="Your own file of unit costs.")]
Activity = Annotated[
    str | None,
    typer.Option(help="Recipe of digits or glyphs whose real codes the array gets.", show_default="Gaussian"),
]
Rows = Annotated[
    int | None,
    typer.Option(help="Rows R of the MAC array (tokens), 1 to 64.", show_default=DEFAULTS["rows"]),
]
Cols = Annotated[
    int | None,
    typer.Option(
        help="Columns C of the MAC array (output channels), 1 to 64.", show_default=DEFAULTS["cols"]
    ),
]
Operands = Annotated[
    Path | None, typer.Option(help="An .npz with x (M, K) and w (N, K), a layer's: one more stimulus.")
]
Config = Annotated[Path | None, typer.Option(help="File of settings (YAML); options hold before it.")]
Csv = Annotated[Path | None, typer.Option("--csv", help="CSV file to write as well.")]
