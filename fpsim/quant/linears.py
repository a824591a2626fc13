"""Weights of torch linears as float64 arrays."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from torch import nn


def weight_of(linear: nn.Linear) -> NDArray[np.float64]:
    """float64 (N, K), a copy."""
    return linear.weight.detach().numpy().astype(np.float64)


def bias_of(linear: nn.Linear) -> NDArray[np.float64]:
    """float64 (N,), a copy; zeros if the layer has no bias."""
    if linear.bias is None:
        return np.zeros(linear.out_features)
    return linear.bias.detach().numpy().astype(np.float64)
