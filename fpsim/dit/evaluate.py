"""Measure a domain's committed workload and write its model card: `python -m fpsim.dit.evaluate --help`.

Every figure of a card is measured here or read from the checkpoint's metadata.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import torch
import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from fpsim.dit.domains import DEFAULT_DOMAIN, DOMAINS, Domain, Kind, get_domain
from fpsim.dit.files import DATA_DIR, write_whole
from fpsim.dit.image_card import image_card
from fpsim.dit.video_card import video_card

CardWriter = Callable[[Domain, Path, int, Callable[[str], None]], str]

# Makes a domain's card, called with (domain, folder of the data files, noise seeds, progress).
CARDS: dict[Kind, CardWriter] = {"image": image_card, "video": video_card}


def main(
    domain: Annotated[str, typer.Option(help=f"What to measure: {', '.join(DOMAINS)}.")] = DEFAULT_DOMAIN,
    data: Annotated[Path, typer.Option(help="Folder of the data files; the card goes there.")] = DATA_DIR,
    seeds: Annotated[int, typer.Option(min=2, help="Noise seeds of the floor.")] = 8,
    threads: Annotated[int, typer.Option(min=1, help="Threads of torch.")] = 1,
) -> None:
    """Measure the workload of a domain and write its card (about 3 minutes on one core).

    Example: python -m fpsim.dit.evaluate --domain digits --seeds 8
    """
    try:
        own = get_domain(domain)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    torch.set_num_threads(threads)
    with Progress(TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn()) as bar:
        task = bar.add_task("evaluate", total=None)
        text = CARDS[own.kind](own, data, seeds, lambda name: bar.update(task, description=name))
    write_whole(data / own.card_file, text.encode())
    typer.echo(text)


if __name__ == "__main__":
    typer.run(main)
