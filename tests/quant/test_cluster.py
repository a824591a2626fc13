"""Groups of neighbouring timesteps, held to exact fractions and, where the problems coincide, to scipy."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.cluster.hierarchy import cut_tree, linkage

from fpsim.quant.cluster import cluster_neighbours, common_ranges, range_ends


def naive(vectors: NDArray[np.int64], groups: int) -> list[int]:
    """The rule as the paper words it, in exact fractions, every centroid from its members anew."""
    clusters = [[i] for i in range(len(vectors))]

    def centroid(members: list[int]) -> list[Fraction]:
        return [
            Fraction(int(sum(vectors[i, k] for i in members)), len(members)) for k in range(vectors.shape[1])
        ]

    def distance(i: int) -> Fraction:
        left, right = centroid(clusters[i]), centroid(clusters[i + 1])
        return sum(((a - b) ** 2 for a, b in zip(left, right, strict=True)), Fraction(0))

    while len(clusters) > groups:
        best = min(range(len(clusters) - 1), key=distance)
        clusters[best : best + 2] = [clusters[best] + clusters[best + 1]]
    return [label for label, members in enumerate(clusters) for _ in members]


@pytest.mark.parametrize("seed", range(8))
def test_groups_are_those_of_the_exact_rule(seed: int) -> None:
    rng = np.random.default_rng(seed)
    walk = np.cumsum(rng.integers(-50, 51, (12, 5)), axis=0)
    for groups in range(1, 13):
        assert cluster_neighbours(walk.astype(np.float32), groups).tolist() == naive(walk, groups)


@pytest.mark.parametrize("seed", range(4))
def test_on_a_line_groups_are_those_of_scipys_centroid_linkage(seed: int) -> None:
    """Sorted points on a line: the nearest two centroids are always neighbours, so any pair may merge."""
    rng = np.random.default_rng(seed)
    positions = np.sort(rng.standard_normal(20))
    points = positions[:, None] * np.array([0.6, -0.8])
    tree = linkage(points, method="centroid")
    for groups in range(1, 21):
        theirs = cut_tree(tree, n_clusters=groups)[:, 0]
        ours = cluster_neighbours(points, groups)
        assert {tuple(np.flatnonzero(theirs == label)) for label in set(theirs)} == {
            tuple(np.flatnonzero(ours == label)) for label in range(groups)
        }


def test_equal_points_that_are_not_neighbours_stay_apart() -> None:
    vectors = np.array([[0.0], [9.0], [0.0], [8.0]])
    assert cluster_neighbours(vectors, 3).tolist() == [0, 1, 2, 2]
    assert cluster_neighbours(np.zeros((4, 2)), 2).tolist() == [0, 0, 0, 1]  # the first of equal pairs


@pytest.mark.parametrize("groups", [0, -1, 5])
def test_an_impossible_number_of_groups_is_refused(groups: int) -> None:
    with pytest.raises(ValueError, match=f"groups={groups}: expected 1 to 4"):
        cluster_neighbours(np.zeros((4, 2)), groups)
    with pytest.raises(ValueError, match="vectors: shape"):
        cluster_neighbours(np.full((4, 2), np.nan), 2)


def test_ranges_are_cut_wherever_one_layer_changes_its_group() -> None:
    groupings = [np.array([0, 0, 0, 1, 1, 1]), np.array([0, 0, 0, 0, 0, 1]), np.array([0, 1, 1, 2, 2, 2])]
    ranges = common_ranges((999, 799, 599, 400, 200, 0), groupings)
    assert ranges == [[0], [1, 2], [3, 4], [5]]
    ends = range_ends((999, 799, 599, 400, 200, 0), ranges)
    # 999 and 799 are equally far from 899, which goes to the later; 599 and 400 leave 500 and 499 their own.
    assert ends == [(999, 900), (899, 500), (499, 101), (100, 0)]
