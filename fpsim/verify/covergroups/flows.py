"""Cover points of fpsim_fifo, fpsim_skid and fpsim_hadamard_outer: fill levels, blocks of many beats."""

from __future__ import annotations

from fpsim.array.config import ArrayConfig
from fpsim.verify.covergroup import unreachable
from fpsim.verify.covergroups.sampler import NO_YES, StreamSampler, Words
from fpsim.verify.covergroups.tiles import POSITIONS, position
from fpsim.verify.ports import Unit

SKID_DEPTH = 2
OUTER_BASES = ("1", "12", "36")  # the selectors' order


class QueueSampler(StreamSampler):
    """Pushes and pops at every kind of fill level; how long a word waits there."""

    def __init__(self, unit: Unit, config: ArrayConfig) -> None:
        self.depth = unit.parameters.get("Depth", SKID_DEPTH)
        levels = ("empty", "between", "full") if self.depth > 1 else ("empty", "full")
        points = {"level": levels, "offered": NO_YES, "taken": NO_YES, "left": levels}
        crosses = (("level", "offered", "taken"), ("left", "stalled"), ("level", "gap"), ("level", "refused"))
        rules = [
            unreachable("an empty queue gives nothing away", left="empty"),
            unreachable("a full queue takes nothing", level="full", gap=("0", "1", "many")),
            unreachable("a full queue takes nothing", level="full", refused=("0", "1", "many")),
        ]
        if self.depth > 1:
            reason = "a refused word is taken once the queue is one short of full"
            rules.append(unreachable(reason, level="empty", refused=("1", "many")))
            reason = "nothing left in the cycle before it was full, so its oldest word has waited"
            rules.append(unreachable(reason, left="full", stalled="0"))
        super().__init__(unit, config, points, crosses, rules)
        self.reset()

    def reset(self) -> None:
        """Empty."""
        super().reset()
        self._held, self._offered, self._took = 0, False, False

    def _level(self) -> str:
        return "empty" if not self._held else "full" if self._held == self.depth else "between"

    def input_cycle(self, offered: bool, ready: bool) -> None:
        """What is offered; a word that is taken counts in the next cycle."""
        super().input_cycle(offered, ready)
        self._offered, self._took = offered, offered and ready
        if self._took:
            self.sample(level=self._level(), gap=self.gap)
            self.sample(level=self._level(), refused=self.refused)

    def output_cycle(self, valid: bool, ready: bool) -> None:
        """What leaves; then the level of the next cycle."""
        super().output_cycle(valid, ready)
        self.sample(level=self._level(), offered=NO_YES[self._offered], taken=NO_YES[ready])
        if valid and ready:
            self.sample(left=self._level(), stalled=self.stalled)
        self._held += self._took - (valid and ready)


class HadamardOuterSampler(StreamSampler):
    """Blocks of every base, size and stride; their beats and results against waits on both sides."""

    def __init__(self, unit: Unit, config: ArrayConfig) -> None:
        longest = unit.parameters["MaxBeats"]
        points = {
            "base": OUTER_BASES,
            "points": ("1", "2", "4", "8", "16", "32", "64"),
            "stride": ("1", "more", "the memory's last"),
            "beat": POSITIONS,
            "row": POSITIONS,
        }
        crosses = (
            ("base", "stride"),
            ("points", "stride"),
            ("beat", "gap"),
            ("beat", "refused"),
            ("row", "stalled"),
        )
        rules = (
            unreachable(
                "a block is refused before its first beat",
                beat=("middle", "last"),
                refused=("1", "many"),
            ),
            *(
                unreachable("the memory holds a stride of 2 and no more", points=str(k), stride="more")
                for k in (1 << i for i in range(7))
                if 3 * k > longest >= 2 * k
            ),
        )
        super().__init__(unit, config, points, crosses, rules)
        self.reset()

    def reset(self) -> None:
        """No block."""
        super().reset()
        self._beats = self._row = 0
        self._lengths: list[int] = []

    def accepted(self, seen: Words) -> None:
        """A beat; the first one of a block brings its shape."""
        if not self._beats:
            base, stride = OUTER_BASES[seen["base"]], seen["stride"]
            points = seen["points"] if base == "1" else int(base)
            self._lengths.append(points * stride)
            longest = points * (stride + 1) > self.unit.parameters["MaxBeats"]
            kind = "1" if stride == 1 else "the memory's last" if longest else "more"
            shape = {"base": base, "stride": kind}
            self.sample(**shape, **({"points": str(points)} if base == "1" else {}))
        self._beats += 1
        where = position(self._beats == 1, self._beats == self._lengths[-1])
        self.sample(beat=where, gap=self.gap)
        self.sample(beat=where, refused=self.refused)
        if self._beats == self._lengths[-1]:
            self._beats = 0

    def result(self, inputs: Words, expected: Words) -> None:
        """A row that left."""
        self._row += 1
        self.sample(row=position(self._row == 1, self._row == self._lengths[0]), stalled=self.stalled)
        if self._row == self._lengths[0]:
            self._lengths.pop(0)
            self._row = 0
