"""A second telling of the dataflows: the array walked cycle by cycle, word by word, with caches for SRAM.

Nothing here knows a formula. Every operand word is a named thing that is fetched, put into a register,
handed on from element to element and used; cycles are counted until the last product is done. Slow: for
small shapes.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Hashable, Iterator


class Cache:
    """An SRAM that forgets what was used longest ago; counts what it fetches and writes back."""

    def __init__(self, words: int | None) -> None:
        self.words = words
        self.held: OrderedDict[Hashable, bool] = OrderedDict()
        self.seen: set[Hashable] = set()
        self.fetched = self.written_back = 0

    def use(self, word: Hashable, change: bool = False) -> None:
        """Read a word, or change one; a changed word that was never there before needs no fetch."""
        if word in self.held:
            self.held.move_to_end(word)
        else:
            if not change or word in self.seen:
                self.fetched += 1
            self.seen.add(word)
            if self.words is not None and len(self.held) >= self.words:
                self.written_back += self.held.popitem(last=False)[1]
        self.held[word] = self.held.get(word, False) or change

    def flush(self) -> None:
        """Write back what was changed."""
        self.written_back += sum(self.held.values())
        self.held.clear()


class Walk:
    """One product on an array of `rows` x `cols`, walked; the counts are attributes afterwards."""

    def __init__(
        self,
        dataflow: str,
        mnk: tuple[int, int, int],
        nibbles: tuple[int, int],
        shape: tuple[int, int],
        caches: tuple[int | None, int | None, int | None] = (None, None, None),
        overlap: bool = False,
    ) -> None:
        self.m, self.n, self.k = mnk
        self.pa, self.pw = nibbles
        self.rows, self.cols = shape
        self.overlap = overlap
        self.caches = dict(zip("awo", map(Cache, caches), strict=True))
        self.reads: Counter[str] = Counter()  # SRAM
        self.writes: Counter[str] = Counter()  # SRAM, of sums
        self.registers: Counter[str] = Counter()
        self.products: Counter[tuple[int, int, int, int, int]] = Counter()
        self.cycles = self._os() if dataflow == "os" else self._stationary(dataflow)
        self.caches["o"].flush()

    def _read(self, side: str, word: tuple[int, int]) -> None:
        self.caches[side].use(word)
        self.reads[side] += 1

    def _os(self) -> int:
        clock = 0
        for j in range(0, self.n, self.cols):
            for i in range(0, self.m, self.rows):
                stream = [(k, a, w) for a in range(self.pa) for w in range(self.pw) for k in range(self.k)]
                last = 0
                # Words enter at the edges skewed, and move one element per cycle.
                moving: dict[tuple[str, int, int], tuple[int, int, int]] = {}
                cycle = 0
                while cycle < len(stream) or moving:
                    after: dict[tuple[str, int, int], tuple[int, int, int]] = {}
                    for (side, r, c), word in moving.items():
                        r, c = (r, c + 1) if side == "a" else (r + 1, c)
                        if r < self.rows and c < self.cols:
                            after[side, r, c] = word
                    for r in range(self.rows):  # rows and columns of padding too
                        if 0 <= cycle - r < len(stream):
                            after["a", r, 0] = stream[cycle - r]
                    for c in range(self.cols):
                        if 0 <= cycle - c < len(stream):
                            after["w", 0, c] = stream[cycle - c]
                    for (side, r, c), word in after.items():
                        real = {"a": i + r < self.m, "w": j + c < self.n}
                        self.registers[side] += real[side]
                        if side == "a" and after.get(("w", r, c)) == word:
                            last = cycle
                            if all(real.values()):
                                self.products[i + r, j + c, *word] += 1
                                self.registers["o"] += 1
                    moving = after
                    cycle += 1
                for k, _, _ in stream:  # in the order of the beats
                    for r in range(min(self.rows, self.m - i)):
                        self._read("a", (i + r, k))
                    for c in range(min(self.cols, self.n - j)):
                        self._read("w", (j + c, k))
                for r in range(min(self.rows, self.m - i)):
                    for c in range(min(self.cols, self.n - j)):
                        self.caches["o"].use((i + r, j + c), change=True)
                        self.writes["o"] += 1
                tail = self.rows + self.cols - 2 if self.overlap else 0
                clock += last + 1 - tail
        return clock + (self.rows + self.cols - 2 if self.overlap else 0)

    def _folds(self, fixed: int, fixed_nibbles: int) -> Iterator[tuple[int, int, int]]:
        for j in range(0, fixed, self.cols):
            for kk in range(0, self.k, self.rows):
                for nibble in range(fixed_nibbles):
                    yield j, kk, nibble

    def _stationary(self, dataflow: str) -> int:
        stays, moves = ("w", "a") if dataflow == "ws" else ("a", "w")
        fixed, moving = (self.n, self.m) if dataflow == "ws" else (self.m, self.n)
        fixed_nibbles, moving_nibbles = (self.pw, self.pa) if dataflow == "ws" else (self.pa, self.pw)
        loaded_at = 0  # when the fold's stationary words are all in place
        free_at = 0  # when the beat of the fold before has all entered
        end = 0
        touched: set[tuple[int, int]] = set()
        for j, kk, fixed_nibble in self._folds(fixed, fixed_nibbles):
            depth = range(min(self.rows, self.k - kk))
            width = range(min(self.cols, fixed - j))
            for r in reversed(depth):  # the lowest row's word goes in first and moves farthest
                for c in width:
                    self._read(stays, (j + c, kk + r))
                    self.registers[stays] += r + 1
            begin_load = max(loaded_at, free_at - self.rows) if self.overlap else end
            loaded_at = begin_load + self.rows
            begin = max(loaded_at, free_at) if self.overlap else loaded_at
            beats = [(nibble, x) for nibble in range(moving_nibbles) for x in range(moving)]
            for nibble, x in beats:
                for r in depth:
                    self._read(moves, (x, kk + r))
                    self.registers[moves] += self.cols
                    for c in width:
                        a, w = (nibble, fixed_nibble) if dataflow == "ws" else (fixed_nibble, nibble)
                        at = (x, j + c) if dataflow == "ws" else (j + c, x)
                        self.products[*at, kk + r, a, w] += 1
                for c in width:
                    at = (x, j + c) if dataflow == "ws" else (j + c, x)
                    if at in touched:
                        self.reads["o"] += 1
                    touched.add(at)
                    self.caches["o"].use(at, change=True)
                    self.writes["o"] += 1
                    self.registers["o"] += self.rows
            free_at = begin + len(beats)
            # The last beat reaches element (rows - 1, cols - 1).
            end = begin + len(beats) - 1 + (self.rows - 1) + (self.cols - 1) + 1
        return end
