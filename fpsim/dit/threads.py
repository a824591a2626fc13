"""How many threads torch may use."""

from __future__ import annotations

import torch


def use_threads(count: int) -> None:
    """Let torch use `count` threads for one operation in this process; at least 1."""
    torch.set_num_threads(count)
