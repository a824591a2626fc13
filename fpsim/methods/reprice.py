"""Give a table of methods the present prices: `python -m fpsim.methods.reprice FOLDER`.

For when units were measured anew or the cycles' formulas changed; qualities stay as they were measured.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fpsim.methods.run import JSON_NAME, priced, write_tables
from fpsim.report.methods import tables_from_json


def main(
    folder: Annotated[Path, typer.Argument(help="Folder with a methods.json; its files are replaced.")],
    library: Annotated[str, typer.Option(help="Characterized cell library.")] = "asap7",
) -> None:
    """Price every line again and write methods.json, .csv and .md.

    Example: python -m fpsim.methods.reprice notebooks/data
    """
    write_tables(folder, [priced(table, library) for table in tables_from_json(folder / JSON_NAME)])


if __name__ == "__main__":
    typer.run(main)
