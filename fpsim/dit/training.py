"""The two training loops: a diffusion transformer and the small classifier behind the metric."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from fpsim.dit.diffusion import TRAIN_STEPS, add_noise
from fpsim.dit.metric_net import MetricNet, MetricNetConfig

LOSS_WINDOW = 500  # steps averaged into the loss that is reported

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class TrainSettings:
    """How the transformer is trained. The optimizer is AdamW without weight decay.

    Attributes:
        steps: optimizer steps.
        batch: images per step.
        lr: peak learning rate; linear warm-up, then a half cosine down to zero.
        warmup: steps of warm-up.
        ema: decay of the weight average that becomes the checkpoint.
        label_dropout: share of labels replaced by the null class, for classifier-free guidance.
        seed: of weights, batches, timesteps and noise.
    """

    steps: int = 10_000
    batch: int = 64
    lr: float = 2e-3
    warmup: int = 200
    ema: float = 0.999
    label_dropout: float = 0.1
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("steps", "batch", "warmup"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}={getattr(self, name)!r}: expected at least 1")
        if not self.lr > 0:
            raise ValueError(f"lr={self.lr!r}: expected more than 0")
        for name in ("ema", "label_dropout"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(f"{name}={getattr(self, name)!r}: expected 0 <= {name} < 1")


@dataclass(frozen=True)
class Trained:
    """A trained network.

    Attributes:
        state: the averaged weights, float32.
        loss: mean loss of the last 500 steps.
        cpu_seconds: processor time spent, all threads together.
    """

    state: dict[str, Tensor]
    loss: float
    cpu_seconds: float


def _batches(images: Tensor, batch: int, generator: torch.Generator) -> Iterator[Tensor]:
    """Endless index batches: every image once per shuffle, batches may span two shuffles."""
    pool = torch.empty(0, dtype=torch.int64)
    while True:
        while len(pool) < batch:
            pool = torch.cat([pool, torch.randperm(len(images), generator=generator)])
        yield pool[:batch]
        pool = pool[batch:]


def _scheduler(
    optimizer: torch.optim.Optimizer, steps: int, warmup: int
) -> torch.optim.lr_scheduler.SequentialLR:
    warm = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0 / warmup, 1.0, total_iters=warmup)
    cosine = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, max(1, steps - warmup))
    return torch.optim.lr_scheduler.SequentialLR(optimizer, [warm, cosine], [warmup])


def train_dit(
    images: Tensor,
    conditions: Tensor,
    build: Callable[[], nn.Module],
    null: int | tuple[int, ...],
    settings: TrainSettings,
    progress: Progress,
) -> Trained:
    """Train a transformer to predict noise.

    Args:
        images: float32 (N, ...) in [-1, 1].
        conditions: int64 (N,) classes, or (N, c) with several parts to a condition.
        build: makes the fresh model, called as eps(x, t, condition); draws from torch's global generator.
        null: the condition of none, of the shape of one condition; a dropped one is replaced as a whole.
        settings: how to train; the result depends on them, on torch's version and on the processor.
        progress: called after every step with (steps done, steps in all).

    Returns:
        The averaged weights.

    Raises:
        ValueError: if images, conditions and the null condition do not fit each other.
    """
    absent = torch.tensor(null, dtype=torch.int64)
    if conditions.shape != (len(images), *absent.shape):
        raise ValueError(
            f"conditions: shape {tuple(conditions.shape)}, expected {(len(images), *absent.shape)}: one for "
            f"each of the images, of the shape of null={null!r}"
        )
    torch.manual_seed(settings.seed)
    generator = torch.Generator().manual_seed(settings.seed + 1)
    model = build().train()
    average = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(settings.ema))  # type: ignore[no-untyped-call]
    weights = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(weights, lr=settings.lr, weight_decay=0.0, fused=True)
    scheduler = _scheduler(optimizer, settings.steps, settings.warmup)
    batches = _batches(images, settings.batch, generator)
    losses: list[float] = []
    start = time.process_time()
    for step in range(settings.steps):
        index = next(batches)
        t = torch.randint(TRAIN_STEPS, (settings.batch,), generator=generator)
        noise = torch.randn(images[index].shape, generator=generator)
        dropped = torch.rand(settings.batch, generator=generator) < settings.label_dropout
        condition = torch.where(dropped.view(-1, *[1] * absent.ndim), absent, conditions[index])
        loss = nn.functional.mse_loss(model(add_noise(images[index], noise, t), t, condition), noise)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        scheduler.step()
        average.update_parameters(model)
        losses = [*losses[1 - LOSS_WINDOW :], loss.item()]
        progress(step + 1, settings.steps)
    state = {name: value.detach().clone() for name, value in average.module.state_dict().items()}
    return Trained(state, sum(losses) / len(losses), time.process_time() - start)


def train_metric_net(
    images: Tensor,
    labels: Tensor,
    *,
    epochs: int,
    seed: int,
    progress: Progress,
    config: MetricNetConfig | None = None,
    batch: int = 64,
) -> Trained:
    """Train the classifier whose features carry the Frechet distance: Adam, cross entropy, cosine rate.

    Args:
        images: float32 (N, 1, S, S) in [-1, 1].
        labels: int64 (N,), classes.
        epochs: passes over the images.
        seed: of weights, dropout and shuffles.
        progress: called after every step with (steps done, steps in all).
        config: shape of the classifier; the default is that of the digits.
        batch: images per step.

    Returns:
        The weights after the last step.
    """
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed + 1)
    net = MetricNet(config).train()
    steps = epochs * len(images) // batch
    optimizer = torch.optim.Adam(net.parameters(), lr=2e-3)
    scheduler = _scheduler(optimizer, steps, max(1, steps // 20))
    batches = _batches(images, batch, generator)
    losses: list[float] = []
    start = time.process_time()
    for step in range(steps):
        index = next(batches)
        loss = nn.functional.cross_entropy(net(images[index]), labels[index], label_smoothing=0.05)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        scheduler.step()
        losses = [*losses[1 - LOSS_WINDOW :], loss.item()]
        progress(step + 1, steps)
    state = {name: value.detach().clone() for name, value in net.state_dict().items()}
    return Trained(state, sum(losses) / len(losses), time.process_time() - start)
