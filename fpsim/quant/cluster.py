"""Groups of neighbouring timesteps, by hierarchical clustering (HTG, arXiv 2503.06930, algorithm 1).

Activations drift slowly along the sampling trajectory, so neighbours can share a shift. Only adjacent groups
merge: a group is a range of timesteps, and the machine switches at its ends.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray


def cluster_neighbours(vectors: NDArray[np.floating], groups: int) -> NDArray[np.int64]:
    """Merge neighbours until so many groups remain.

    At first every vector is a group. Again and again the two adjacent groups merge whose centroids, the
    means of their members, have the smallest squared distance; of equal ones the first pair.

    Args:
        vectors: float (T, K), finite, in sampling order.
        groups: 1 to T.

    Returns:
        int64 (T,), the group of every vector: 0 for the first ones, rising to groups - 1.

    Raises:
        ValueError: an illegal shape or number of groups.
    """
    if vectors.ndim != 2 or not np.isfinite(vectors).all():
        raise ValueError(f"vectors: shape {vectors.shape}, expected (T, K) finite values")
    if not 1 <= groups <= len(vectors):
        raise ValueError(f"groups={groups!r}: expected 1 to {len(vectors)}")
    centroids = list(vectors.astype(np.float64))
    sizes = [1] * len(centroids)
    while len(sizes) > groups:
        distances = [float(np.square(left - right).sum()) for left, right in pairwise(centroids)]
        i = int(np.argmin(distances))
        merged = sizes[i] + sizes[i + 1]
        centroids[i : i + 2] = [(sizes[i] * centroids[i] + sizes[i + 1] * centroids[i + 1]) / merged]
        sizes[i : i + 2] = [merged]
    return np.repeat(np.arange(groups), sizes)


def common_ranges(timesteps: tuple[int, ...], groupings: list[NDArray[np.int64]]) -> list[list[int]]:
    """The coarsest cut of the timesteps in which no range crosses a group of any grouping.

    Args:
        timesteps: T, in sampling order.
        groupings: of `cluster_neighbours`, (T,) each.

    Returns:
        Ranges of indices into `timesteps`, in order, each with at least one.
    """
    ranges: list[list[int]] = []
    for i in range(len(timesteps)):
        if i and all(groups[i] == groups[i - 1] for groups in groupings):
            ranges[-1].append(i)
        else:
            ranges.append([i])
    return ranges


def range_ends(timesteps: tuple[int, ...], ranges: list[list[int]], last: int = 999) -> list[tuple[int, int]]:
    """First and last timestep of each range, covering all timesteps from `last` down to 0.

    A sampler of other steps meets timesteps between those of the calibration; each belongs to the nearest,
    the later one in sampling order where two are equally near. That rule is ours.
    """
    ends = []
    first = last
    for here, following in zip(ranges, [*ranges[1:], None], strict=True):
        end = 0 if following is None else (timesteps[here[-1]] + timesteps[following[0]]) // 2 + 1
        ends.append((first, end))
        first = end - 1
    return ends
