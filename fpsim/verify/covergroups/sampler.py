"""What every unit's sampler shares: the hooks that the benches call, handshakes in words, rounding cases."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction

from fpsim.arith.number import floor_log2
from fpsim.array.config import ArrayConfig
from fpsim.formats import Format
from fpsim.verify.covergroup import Covergroup, Item, Recorder, Unreachable
from fpsim.verify.ports import Unit

Words = Mapping[str, int]

NO_YES = ("no", "yes")
AMOUNTS = ("0", "1", "many")  # cycles that something waited
GAPS = {"gap": AMOUNTS, "refused": AMOUNTS, "stalled": AMOUNTS}
SIGNS = ("+", "−")
RESULT_SIGNS = ("negative", "zero", "positive")
OVERFLOWS = ("none", "positive", "negative")
ROUNDINGS = ("exact", "below half", "tie down", "tie up", "above half")
INEXACT = ROUNDINGS[1:]


def amount(cycles: int) -> str:
    """A number of cycles as a bin of `AMOUNTS`."""
    return AMOUNTS[min(cycles, 2)]


def sign_of(value: int | Fraction) -> str:
    """A number as a bin of `RESULT_SIGNS`."""
    return RESULT_SIGNS[(value > 0) - (value < 0) + 1]


def beyond(value: int, bits: int) -> str:
    """Whether a signed register of so many bits overflows, as a bin of `OVERFLOWS`."""
    half = 1 << (bits - 1)
    return "positive" if value >= half else "negative" if value < -half else "none"


def rounding_case(numerator: int, denominator: int, *, tie_up: bool | None = None) -> str:
    """How a magnitude lies between two neighbouring integers, as a bin of `ROUNDINGS`.

    Args:
        numerator, denominator: the magnitude, in units of the gap.
        tie_up: whether a tie rounds up; None: where the lower neighbour is odd.
    """
    floor, rest = divmod(numerator, denominator)
    if not rest:
        return "exact"
    if 2 * rest != denominator:
        return "below half" if 2 * rest < denominator else "above half"
    up = floor % 2 == 1 if tie_up is None else tie_up
    return "tie up" if up else "tie down"


def float_case(magnitude: Fraction, fmt: Format) -> str:
    """How a magnitude lies between two neighbouring numbers of a format whose exponent has no upper end."""
    if not magnitude:
        return "exact"
    step = Fraction(2) ** (max(floor_log2(magnitude), 1 - fmt.bias) - fmt.man_bits)
    steps = magnitude / step
    return rounding_case(steps.numerator, steps.denominator)


def float_class(code: int, fmt: Format) -> str:
    """zero, subnormal, normal or infinite, of a code that is not NaN."""
    magnitude = code & (fmt.n_codes // 2 - 1)
    if not magnitude:
        return "zero"
    if magnitude > fmt.max_magnitude_code:
        return "infinite"
    return "normal" if magnitude >> fmt.man_bits else "subnormal"


class Sampler(Recorder):
    """What a bench tells of its unit; a unit's own class turns it into samples.

    Attributes:
        unit: ports and parameters.
        config: what the unit is built with.
    """

    def __init__(
        self,
        unit: Unit,
        config: ArrayConfig,
        points: Mapping[str, tuple[str, ...]],
        crosses: Iterable[Item] = (),
        unreachable: Iterable[Unreachable] = (),
    ) -> None:
        super().__init__(Covergroup(unit.name, points, tuple(crosses), tuple(unreachable)))
        self.unit = unit
        self.config = config

    def reset(self) -> None:
        """The unit is reset."""

    def input_cycle(self, offered: bool, ready: bool) -> None:
        """One cycle at a stream's input: whether a beat is offered, whether the unit would take one."""

    def accepted(self, seen: Words) -> None:
        """A stream took a beat."""

    def output_cycle(self, valid: bool, ready: bool) -> None:
        """One cycle at a stream's output: whether the unit offers a beat, whether the bench takes one."""

    def result(self, inputs: Words, expected: Words) -> None:
        """Outputs were compared: the input words behind them, and what the law gave."""


class StreamSampler(Sampler):
    """A stream's waits: cycles before a beat is offered, before it is taken, before a result is taken.

    Every stream has these three as cover points, gap, refused, stalled; the first two are crossed. The first
    beat after a reset, `fresh`, has none before it and no gap.
    """

    def __init__(
        self,
        unit: Unit,
        config: ArrayConfig,
        points: Mapping[str, tuple[str, ...]],
        crosses: Iterable[Item] = (),
        unreachable: Iterable[Unreachable] = (),
    ) -> None:
        crosses = (("gap", "refused"), *crosses)
        super().__init__(unit, config, GAPS | dict(points), crosses, unreachable)
        self.gap = self.refused = self.stalled = AMOUNTS[0]
        self._idle = self._refusals = self._stalls = 0
        self.fresh = self._fresh = True

    def reset(self) -> None:
        """No beat waits after a reset."""
        self._idle = self._refusals = self._stalls = 0
        self._fresh = True

    def input_cycle(self, offered: bool, ready: bool) -> None:
        """Count the cycles before a beat is offered, and those before it is taken."""
        if not offered:
            self._idle, self._refusals = self._idle + 1, 0
        elif not ready:
            self._refusals += 1
        else:
            self.gap, self.refused = amount(self._idle), amount(self._refusals)
            self._idle = self._refusals = 0
            self.fresh, self._fresh = self._fresh, False
            if not self.fresh:
                self.sample(gap=self.gap, refused=self.refused)

    def output_cycle(self, valid: bool, ready: bool) -> None:
        """Count the cycles before an output beat is taken."""
        if valid and ready:
            self.stalled = amount(self._stalls)
            self._stalls = 0
            self.sample(stalled=self.stalled)
        elif valid:
            self._stalls += 1
