"""Train the embedded workload of a domain: `python -m fpsim.dit.train --help`.

Trains the metric and the transformer and writes the domain's checkpoint, metric and noise, such as
`digits.safetensors`, `digits_metric.npz` and `digits_noise.safetensors`, and their entries in the manifest.
Nothing is written before everything is trained; an interrupted run leaves the old files as they were, and
the next run starts clean.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import torch
import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from fpsim.dit.checkpoint import dit_bytes, noise_bytes
from fpsim.dit.dataset import DataSet
from fpsim.dit.domains import DEFAULT_DOMAIN, DOMAINS, Domain, Kind, get_domain
from fpsim.dit.files import DATA_DIR, write_set
from fpsim.dit.image_metric import MetricPack, train_image_metric
from fpsim.dit.training import Progress as Report
from fpsim.dit.training import Trained, TrainSettings, train_dit
from fpsim.dit.video_metrics import train_video_metric

MetricTrainer = Callable[[Domain, DataSet, int, int, Report], MetricPack]

# Trains a domain's metric, called with (domain, data, epochs, seed, progress).
METRIC_TRAINERS: dict[Kind, MetricTrainer] = {"image": train_image_metric, "video": train_video_metric}


def pack(domain: Domain, settings: TrainSettings, dit: Trained, metric: MetricPack) -> dict[str, bytes]:
    """The data files of a trained workload, file name to content.

    Args:
        domain: what was trained.
        settings: how the transformer was trained.
        dit: the trained transformer.
        metric: the trained metric.
    """
    metadata = {name: str(value) for name, value in asdict(settings).items()}
    metadata |= {
        "parameters": str(sum(value.numel() for value in dit.state.values())),
        "loss": f"{dit.loss:.5f}",
        "cpu_seconds": f"{dit.cpu_seconds:.0f}",
        "metric_cpu_seconds": f"{metric.cpu_seconds:.0f}",
        "torch": torch.__version__,
    }
    return {
        domain.checkpoint_file: dit_bytes(dit.state, domain.config, metadata, domain.build),
        domain.noise_file: noise_bytes(settings.seed, domain),
        domain.metric_file: metric.content,
    }


def _bar(progress: Progress, text: str) -> Report:
    task = progress.add_task(text, total=None)
    return lambda done, total: progress.update(task, completed=done, total=total)


def _settings(domain: Domain, **given: Any) -> TrainSettings:
    """The domain's settings with those that the command line gives."""
    try:
        return replace(domain.settings, **{k: v for k, v in given.items() if v is not None})
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


def main(
    domain: Annotated[str, typer.Option(help=f"What to train: {', '.join(DOMAINS)}.")] = DEFAULT_DOMAIN,
    out: Annotated[Path, typer.Option(help="Folder of the data files.")] = DATA_DIR,
    steps: Annotated[int | None, typer.Option(help="Optimizer steps of the transformer.")] = None,
    batch: Annotated[int | None, typer.Option(help="Images per step.")] = None,
    lr: Annotated[float | None, typer.Option(help="Peak learning rate.")] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of weights, batches and noise.")] = None,
    metric_epochs: Annotated[int | None, typer.Option(help="Epochs of the metric's classifier.")] = None,
    metric_seed: Annotated[int | None, typer.Option(help="Seed of the metric's classifier.")] = None,
    threads: Annotated[int, typer.Option(help="Threads of torch; more than one may change last bits.")] = 1,
) -> None:
    """Train the workload of a domain and write its data files (about 15 minutes on one core).

    What is not given is the domain's own setting, see fpsim/dit/domains.py.

    Example: python -m fpsim.dit.train --domain digits --out out/digits
    """
    try:
        own = get_domain(domain)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    settings = _settings(own, steps=steps, batch=batch, lr=lr, seed=seed)
    epochs = own.metric.epochs if metric_epochs is None else metric_epochs
    if epochs < 1 or threads < 1:
        raise typer.BadParameter(f"metric-epochs={epochs}, threads={threads}: expected at least 1")
    metric_seed = own.metric.seed if metric_seed is None else metric_seed
    torch.set_num_threads(threads)
    data = own.load()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns) as progress:
        bar = _bar(progress, "metric")
        metric = METRIC_TRAINERS[own.kind](own, data, epochs, metric_seed, bar)
        build, bar = partial(own.build, own.config), _bar(progress, "transformer")
        dit = train_dit(*data.train, build, own.null, settings, bar)
    write_set(out, pack(own, settings, dit, metric))
    typer.echo(f"wrote {out}: loss {dit.loss:.4f}, {dit.cpu_seconds:.0f} CPU seconds")


if __name__ == "__main__":
    typer.run(main)
