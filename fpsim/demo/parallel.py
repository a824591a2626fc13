"""Measure several models side by side: one process each, one thread each.

The matrices are small, so threads inside one model cost more than they bring; models are independent.
"""

from __future__ import annotations

import multiprocessing
import os
from concurrent.futures import Future, ProcessPoolExecutor
from queue import Empty
from typing import Any

from fpsim.array.config import ArrayConfig
from fpsim.demo.quality import Progress, Sampling, measure_model
from fpsim.dit.threads import single_threaded_children, use_threads
from fpsim.report.data import ModelQuality

POLL_SECONDS = 0.1


def measure_models(
    names: list[str], recipes: list[str], config: ArrayConfig, sampling: Sampling, progress: Progress
) -> list[ModelQuality]:
    """`measure_model` for every name, in parallel; results in the order of names, progress as they go.

    Raises:
        Whatever `measure_model` raises in a worker.
    """
    context = multiprocessing.get_context("spawn")
    workers = min(len(names), os.cpu_count() or 1)
    with (
        single_threaded_children(),
        context.Manager() as manager,
        ProcessPoolExecutor(workers, context, use_threads, (1,)) as pool,
    ):
        queue: Any = manager.Queue()
        futures = [pool.submit(_work, queue, name, recipes, config, sampling) for name in names]
        _forward(queue, futures, progress)
        return [future.result() for future in futures]


def _work(queue: Any, name: str, recipes: list[str], config: ArrayConfig, sampling: Sampling) -> ModelQuality:
    return measure_model(name, recipes, config, sampling, lambda *event: queue.put(event))


def _forward(queue: Any, futures: list[Future[ModelQuality]], progress: Progress) -> None:
    """Pass progress events on until every worker has ended and the queue is empty."""
    while True:
        finished = all(future.done() for future in futures)
        try:
            progress(*queue.get(timeout=POLL_SECONDS))
        except Empty:
            if finished:
                return
