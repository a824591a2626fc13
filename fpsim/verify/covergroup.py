"""Functional coverage: which situations the benches really brought about, by what crossed the units' pins.

A covergroup names cover points, each with its bins, and crosses of them; a sampler turns what the monitors
saw, and what the law made of it, into bins. Nothing of the RTL's inside is looked at. Bins that cannot be
reached are declared with a reason; one that is hit all the same is an error, and so is a value without a bin.

Why not cocotb-coverage (2.0, whose coverage.py is of 2023): there a hit of an ignored bin and a value
outside of all bins pass without a word, so that a wrong "unreachable" would stay in place for ever; groups
are decorators in one registry of the whole process, a second one of a name silently being the first; and a
sample costs the sum of all bins (48 µs where a cross has 225), here it costs one dictionary entry.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product

BETWEEN = " × "  # in the names of crosses and of their bins
Item = tuple[str, ...]  # names of cover points: of one, or of those that are crossed
Bin = tuple[str, ...]  # a bin of each
Hits = dict[str, dict[str, int]]  # by item and bin, as their names; plain data


class CoverageError(RuntimeError):
    """A declaration is wrong: the unreachable was reached, nothing is left out by it, a value has no bin."""


@dataclass(frozen=True)
class Unreachable:
    """Bins that nothing reaches.

    Attributes:
        reason: why.
        where: bins by cover point; each point or cross that has all of these points loses the bins that
            have one of them for each.
    """

    reason: str
    where: Mapping[str, tuple[str, ...]]

    def covers(self, item: Item, bins: Bin) -> bool:
        """Whether a bin of a point or cross is one of these."""
        place = dict(zip(item, bins, strict=True))
        return all(place.get(name) in chosen for name, chosen in self.where.items())

    @property
    def label(self) -> str:
        """The bins in words."""
        return ", ".join(f"{name} {'|'.join(chosen)}" for name, chosen in self.where.items())


def unreachable(reason: str, /, **where: str | tuple[str, ...]) -> Unreachable:
    """Bins that nothing reaches: `where` has a bin or several for each cover point."""
    chosen = {name: (bins,) if isinstance(bins, str) else bins for name, bins in where.items()}
    return Unreachable(reason, chosen)


@dataclass(frozen=True)
class Covergroup:
    """What is to be brought about on a unit.

    Attributes:
        unit: the unit's name.
        points: bins by the name of the cover point.
        crosses: names of the points that are crossed.
        unreachable: declared bins.

    Raises:
        ValueError: a cross or a declaration of what there is not.
    """

    unit: str
    points: Mapping[str, tuple[str, ...]]
    crosses: tuple[Item, ...] = ()
    unreachable: tuple[Unreachable, ...] = ()
    items: tuple[Item, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "items", (*((name,) for name in self.points), *self.crosses))
        for name in (name for cross in self.crosses for name in cross):
            self._bins(name)
        for rule in self.unreachable:
            for name, chosen in rule.where.items():
                for one in chosen:
                    if one not in self._bins(name):
                        raise ValueError(f"{self.unit}: {rule.label}: {one!r} is no bin of {name}")
            if not any(set(rule.where) <= set(item) for item in self.items):
                raise ValueError(f"{self.unit}: {rule.label}: no cross has all of these points")

    def _bins(self, name: str) -> tuple[str, ...]:
        try:
            return self.points[name]
        except KeyError:
            raise ValueError(f"{self.unit}: {name!r}: expected one of {', '.join(self.points)}") from None

    def bins(self, item: Item) -> Iterator[Bin]:
        """Every bin of a point or cross."""
        return product(*(self._bins(name) for name in item))

    def rule(self, item: Item, bins: Bin) -> int | None:
        """The place of the declaration that takes a bin away, if one does."""
        return next((place for place, rule in enumerate(self.unreachable) if rule.covers(item, bins)), None)

    def judge(self, hits: Hits) -> FunctionalCoverage:
        """Sort the bins into hit, missing and unreachable.

        Raises:
            CoverageError: an unreachable bin was hit, or a declaration takes no bin away.
        """
        hit, missing = 0, list[str]()
        lost = [0] * len(self.unreachable)
        for item in self.items:
            counts = hits.get(BETWEEN.join(item), {})
            for bins in self.bins(item):
                place, label = self.rule(item, bins), BETWEEN.join(bins)
                count = counts.get(label, 0)
                if place is not None and count:
                    raise CoverageError(
                        f"{self.unit}: {BETWEEN.join(item)}: {label} was hit {count} times, "
                        f"although declared unreachable: {self.unreachable[place].reason}"
                    )
                if place is not None:
                    lost[place] += 1
                elif count:
                    hit += 1
                else:
                    missing.append(f"{BETWEEN.join(item)}: {label}")
        for rule, count in zip(self.unreachable, lost, strict=True):
            if not count:
                raise CoverageError(f"{self.unit}: {rule.label}: declared unreachable, but leaves no bin out")
        declared = tuple(
            UnreachableBins(rule.label, count, rule.reason)
            for rule, count in zip(self.unreachable, lost, strict=True)
        )
        return FunctionalCoverage(self.unit, hit, hit + len(missing), declared, tuple(missing))


@dataclass(frozen=True)
class UnreachableBins:
    """Bins left out of the count.

    Attributes:
        where: the cover points' bins.
        bins: how many bins of all points and crosses.
        reason: why nothing reaches them.
    """

    where: str
    bins: int
    reason: str


@dataclass(frozen=True)
class FunctionalCoverage:
    """What a unit's bench brought about.

    Attributes:
        unit: its name.
        hit: bins hit, of all points and crosses.
        total: bins that can be reached.
        unreachable: the others, with their reasons.
        missing: "point × point: bin × bin" of those that were reachable and not hit.
    """

    unit: str
    hit: int
    total: int
    unreachable: tuple[UnreachableBins, ...]
    missing: tuple[str, ...]

    @property
    def percent(self) -> float:
        """Bins hit of those that can be reached, in per cent."""
        return 100.0 * self.hit / self.total if self.total else 100.0


class Recorder:
    """Counts samples of a covergroup.

    Attributes:
        group: the covergroup.
    """

    def __init__(self, group: Covergroup) -> None:
        self.group = group
        self._samples: Counter[tuple[tuple[str, str], ...]] = Counter()

    def sample(self, **bins: str) -> None:
        """One sample: a bin for some cover points; every cross whose points are all there is counted."""
        self._samples[tuple(bins.items())] += 1

    def hits(self) -> Hits:
        """The counts.

        Raises:
            CoverageError: a sampled value is no bin.
        """
        counts: dict[str, Counter[str]] = {}
        for sample, count in self._samples.items():
            bins = dict(sample)
            for name, one in bins.items():
                if one not in self.group.points.get(name, ()):
                    raise CoverageError(f"{self.group.unit}: {name}={one!r}: no such bin")
            for item in self.group.items:
                if all(name in bins for name in item):
                    label = BETWEEN.join(bins[name] for name in item)
                    counts.setdefault(BETWEEN.join(item), Counter())[label] += count
        return {name: dict(found) for name, found in counts.items()}


def merge(*parts: Hits) -> Hits:
    """The counts of several runs added up."""
    total: dict[str, Counter[str]] = {}
    for part in parts:
        for name, counts in part.items():
            total.setdefault(name, Counter()).update(counts)
    return {name: dict(counts) for name, counts in total.items()}
