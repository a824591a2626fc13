"""A queue between two streams: what is ready, what is offered, and what it holds after a clock edge."""

from __future__ import annotations

from typing import NamedTuple

from fpsim.arith.checks import check_int


class FifoCycle(NamedTuple):
    """One clock cycle of a queue.

    Attributes:
        in_ready: a word offered in this cycle is taken.
        out_valid: the oldest word is on offer.
        held: the words after the cycle's clock edge, oldest first.
    """

    in_ready: bool
    out_valid: bool
    held: tuple[int, ...]


def fifo(held: tuple[int, ...], depth: int, offered: int | None, out_ready: bool) -> FifoCycle:
    """One clock cycle of a queue of `depth` words (rtl/README.md, "fifo and skid").

    Args:
        held: the words before the cycle, oldest first; the oldest is what the output shows.
        depth: words that the queue can hold, 1 or more.
        offered: the word that the input offers, or None.
        out_ready: whether the output takes the oldest word, if there is one.

    Returns:
        The cycle. Whether a word is taken depends on what was held before it alone: a full queue takes none,
        even while it gives one away.

    Raises:
        ValueError: a depth below 1, or more words than it can hold.
    """
    check_int("depth", depth, 1, None)
    if len(held) > depth:
        raise ValueError(f"held={held!r}: expected at most depth={depth} words")
    in_ready, out_valid = len(held) < depth, len(held) > 0
    kept = held[1:] if out_valid and out_ready else held
    return FifoCycle(in_ready, out_valid, (*kept, offered) if in_ready and offered is not None else kept)
