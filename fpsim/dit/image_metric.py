"""Train the metric of an image domain: its classifier, and the statistics of its training images."""

from __future__ import annotations

from dataclasses import dataclass

from fpsim.dit.dataset import DataSet
from fpsim.dit.domains import Domain
from fpsim.dit.metric_net import MetricNetConfig
from fpsim.dit.metrics import metric_bytes
from fpsim.dit.training import Progress, train_metric_net


@dataclass(frozen=True)
class MetricPack:
    """Content of a metric file and the processor time of its training in seconds, all threads together."""

    content: bytes
    cpu_seconds: float


def train_image_metric(
    domain: Domain, data: DataSet, epochs: int, seed: int, progress: Progress
) -> MetricPack:
    """Train the classifier and pack it with the statistics; what `load_metric` reads.

    Args:
        domain: an image domain.
        data: its data set; only the training images are used.
        epochs: passes over them, at least 1.
        seed: of weights, dropout and shuffles.
        progress: called after every step with (steps done, steps in all).
    """
    config = MetricNetConfig(domain.config.image, domain.config.classes)
    images, labels = data.train
    net = train_metric_net(images, labels, epochs=epochs, seed=seed, progress=progress, config=config)
    return MetricPack(metric_bytes(net.state, images, config), net.cpu_seconds)
