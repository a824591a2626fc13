"""A figure that is honest about itself: low, mid and high."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Band:
    """Low, mid and high of one quantity. Bands add and scale end by end: errors go all one way."""

    low: float
    mid: float
    high: float

    def __post_init__(self) -> None:
        if not self.low <= self.mid <= self.high:
            raise ValueError(f"{self}: expected low <= mid <= high")

    def __add__(self, other: Band) -> Band:
        return Band(self.low + other.low, self.mid + other.mid, self.high + other.high)

    def __mul__(self, factor: float) -> Band:
        if factor < 0:
            raise ValueError(f"factor={factor}: expected 0 or more")
        return Band(self.low * factor, self.mid * factor, self.high * factor)

    __rmul__ = __mul__

    def to_dict(self) -> dict[str, float]:
        """Plain data; `from_dict` reads it back."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, float]) -> Band:
        """The band that `to_dict` wrote. ValueError on a missing or unknown field."""
        try:
            return cls(**{name: float(value) for name, value in data.items()})
        except TypeError as error:
            raise ValueError(f"band {dict(data)!r}: {error}") from error


ZERO = Band(0.0, 0.0, 0.0)


def total(bands: list[Band]) -> Band:
    """Sum of bands; zero for none."""
    return sum(bands, ZERO)
