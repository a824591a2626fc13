"""How many threads torch and the other libraries may use, here and in worker processes.

The models are small: threads inside one operation cost more than they bring, so models run side by side, one
process each with one thread each.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch

THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")


def use_threads(count: int) -> None:
    """Let torch use `count` threads for one operation in this process; at least 1."""
    torch.set_num_threads(count)


@contextmanager
def single_threaded_children() -> Iterator[None]:
    """Children read their thread counts from the environment when they import their libraries."""
    before = {name: os.environ.get(name) for name in THREAD_VARIABLES}
    os.environ.update(dict.fromkeys(THREAD_VARIABLES, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
