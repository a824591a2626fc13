"""Sequences as Hypothesis draws them: cycles of beats, gaps, stalls and resets, and the words on the pins."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

from hypothesis import strategies as st

from fpsim.verify.benches.harness import Words
from fpsim.verify.sequence import Step
from fpsim.verify.units import Port, Unit

LONGEST = 40  # cycles drawn; what is on its way then comes out in further ones
T = TypeVar("T")
Beats = Iterator[tuple[Words, bool]]  # words, and whether the beat must be alone in the unit
# What a cycle may do; the first is what a sequence shrinks to.
_STREAM = ("end", *["beat"] * 9, *["gap"] * 4, "reset")
_CLOCKED = ("end", *["clock"] * 14, "reset")


class Chooser:
    """Draws of one sequence; each shrinks to its first or lowest value."""

    def __init__(self, draw: st.DrawFn) -> None:
        self._draw = draw

    def integer(self, low: int, high: int) -> int:
        """An integer from low to high; shrinks towards 0, or the end next to it."""
        return self._draw(st.integers(low, high))

    def bits(self, count: int) -> int:
        """Any word of so many bits."""
        return self.integer(0, (1 << count) - 1)

    def pick(self, options: Sequence[T]) -> T:
        """One of several; shrinks to the first."""
        return self._draw(st.sampled_from(options))

    def flag(self) -> int:
        """0 or 1."""
        return int(self._draw(st.booleans()))

    def lanes(self, count: int, one: Callable[[], T], rest: T) -> list[T]:
        """One value in every lane, one in one lane among rests, or each lane its own."""
        kind = self.pick(("same", "single", "own"))
        if kind == "own":
            return [one() for _ in range(count)]
        if kind == "same":
            return [one()] * count
        place, value = self.integer(0, count - 1), one()
        return [value if lane == place else rest for lane in range(count)]

    def word(self, port: Port) -> int:
        """Any word of a port: all lanes the same, one lane, or each its own."""
        chosen = self.lanes(port.lanes, lambda: self.bits(port.bits), 0)
        return sum(lane << i * port.bits for i, lane in enumerate(chosen))


def steps(unit: Unit, beats: Callable[[Chooser], Beats]) -> st.SearchStrategy[list[Step]]:
    """Lists of cycles for the unit.

    Args:
        unit: its ports.
        beats: the admissible beats one after the other, from a reset on.
    """
    draw_step = st.composite(_draw_step)

    @st.composite
    def drawn(draw: st.DrawFn) -> list[Step]:
        chooser = Chooser(draw)
        source = beats(chooser)
        found: list[Step] = []
        while len(found) < LONGEST:
            step = draw(draw_step(unit, source))
            if step is None:
                break
            found.append(step)
            if step.act == "reset":
                source = beats(chooser)
        return found

    return drawn()


def _draw_step(draw: st.DrawFn, unit: Unit, source: Beats) -> Step | None:
    """One cycle; None: the sequence ends here."""
    chooser = Chooser(draw)
    acts = {"stream": _STREAM, "clocked": _CLOCKED}.get(unit.style, ("end", *["inputs"] * 15))
    act: Any = chooser.pick(acts)
    if act == "end":
        return None
    ready = not chooser.flag() if unit.style == "stream" else True
    if act in ("gap", "reset"):
        return Step(act, _noise(chooser, unit), ready)
    words, alone = next(source)
    return Step("alone" if alone else act, words, ready)


def _noise(chooser: Chooser, unit: Unit) -> Words:
    """Words that must not matter: zeros, ones, or any."""
    kind = chooser.pick(("zeros", "ones", "any"))
    if kind == "any":
        return {port.name: chooser.bits(port.width) for port in unit.inputs}
    return {port.name: (1 << port.width) - 1 if kind == "ones" else 0 for port in unit.inputs}
