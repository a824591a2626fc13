"""The queue's law against collections.deque, and against what a queue may never do."""

from __future__ import annotations

import random
from collections import deque

import pytest

from fpsim.arith.fifo import fifo


@pytest.mark.parametrize("depth", [1, 2, 3, 8])
def test_words_leave_as_a_deque_gives_them(depth: int) -> None:
    rng = random.Random(depth)
    held: tuple[int, ...] = ()
    queue: deque[int] = deque()
    left, expected = [], []
    for word in range(2_000):
        offered = word if rng.random() < 0.6 else None
        out_ready = rng.random() < 0.5
        room = len(queue) < depth
        cycle = fifo(held, depth, offered, out_ready)
        assert (cycle.in_ready, cycle.out_valid) == (room, bool(queue))
        if cycle.out_valid and out_ready:
            left.append(held[0])
            expected.append(queue.popleft())
        if offered is not None and room:
            queue.append(offered)
        held = cycle.held
        assert held == tuple(queue)
    assert left == expected
    assert len(left) > 500


def test_a_full_queue_takes_nothing_even_while_it_gives_a_word_away() -> None:
    assert fifo((1, 2), 2, 3, True) == (False, True, (2,))


@pytest.mark.parametrize(("held", "depth"), [((), 0), ((1, 2, 3), 2)])
def test_what_no_queue_can_hold_is_refused(held: tuple[int, ...], depth: int) -> None:
    with pytest.raises(ValueError, match="depth="):
        fifo(held, depth, None, True)
