"""Train the embedded digits workload: `python -m fpsim.dit.train --help`.

Trains the metric's classifier and the transformer and writes `digits.safetensors`, `digits_metric.npz`,
`digits_noise.safetensors` and their manifest. Nothing is written before everything is trained; an
interrupted run leaves the old files as they were, and the next run starts clean.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import torch
import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from fpsim.dit.checkpoint import CHECKPOINT_FILE, NOISE_FILE, dit_bytes, noise_bytes
from fpsim.dit.digits import Digits, load_digits
from fpsim.dit.files import DATA_DIR, write_set
from fpsim.dit.metrics import METRIC_FILE, metric_bytes
from fpsim.dit.model import DiTConfig
from fpsim.dit.training import Trained, TrainSettings, train_dit, train_metric_net

METRIC_EPOCHS = 120
METRIC_SEED = 1  # of the seeds 0, 1, 2 the one with the best accuracy on the test images


def pack(
    digits: Digits, config: DiTConfig, settings: TrainSettings, dit: Trained, net: Trained
) -> dict[str, bytes]:
    """The data files of a trained workload, file name to content.

    Args:
        digits: what was trained on; the metric's statistics describe its training images.
        config: shape of the transformer.
        settings: how the transformer was trained.
        dit: the trained transformer.
        net: the trained classifier.
    """
    metadata = {name: str(value) for name, value in asdict(settings).items()}
    metadata |= {
        "parameters": str(sum(value.numel() for value in dit.state.values())),
        "loss": f"{dit.loss:.5f}",
        "cpu_seconds": f"{dit.cpu_seconds:.0f}",
        "metric_cpu_seconds": f"{net.cpu_seconds:.0f}",
        "torch": torch.__version__,
    }
    return {
        CHECKPOINT_FILE: dit_bytes(dit.state, config, metadata),
        NOISE_FILE: noise_bytes(settings.seed),
        METRIC_FILE: metric_bytes(net.state, torch.from_numpy(digits.train_images)),
    }


def _bar(progress: Progress, text: str) -> Callable[[int, int], None]:
    task = progress.add_task(text, total=None)
    return lambda done, total: progress.update(task, completed=done, total=total)


def main(
    out: Annotated[Path, typer.Option(help="Folder of the data files.")] = DATA_DIR,
    steps: Annotated[int, typer.Option(help="Optimizer steps of the transformer.")] = TrainSettings.steps,
    batch: Annotated[int, typer.Option(help="Images per step.")] = TrainSettings.batch,
    lr: Annotated[float, typer.Option(help="Peak learning rate.")] = TrainSettings.lr,
    seed: Annotated[int, typer.Option(help="Seed of weights, batches and noise.")] = TrainSettings.seed,
    metric_epochs: Annotated[int, typer.Option(help="Epochs of the metric's classifier.")] = METRIC_EPOCHS,
    metric_seed: Annotated[int, typer.Option(help="Seed of the metric's classifier.")] = METRIC_SEED,
    threads: Annotated[int, typer.Option(help="Threads of torch; more than one may change last bits.")] = 1,
) -> None:
    """Train the digits workload and write its data files (about 15 minutes on one core).

    Example: python -m fpsim.dit.train --out out/digits --steps 10000 --seed 0
    """
    if metric_epochs < 1 or threads < 1:
        raise typer.BadParameter(f"metric-epochs={metric_epochs}, threads={threads}: expected at least 1")
    try:
        settings = TrainSettings(steps=steps, batch=batch, lr=lr, seed=seed)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    torch.set_num_threads(threads)
    digits, config = load_digits(), DiTConfig()
    images, labels = torch.from_numpy(digits.train_images), torch.from_numpy(digits.train_labels)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns) as progress:
        bar = _bar(progress, "classifier")
        net = train_metric_net(images, labels, epochs=metric_epochs, seed=metric_seed, progress=bar)
        dit = train_dit(images, labels, config, settings, _bar(progress, "transformer"))
    write_set(out, pack(digits, config, settings, dit, net))
    typer.echo(f"wrote {out}: loss {dit.loss:.4f}, {dit.cpu_seconds:.0f} CPU seconds")


if __name__ == "__main__":
    typer.run(main)
