"""What a fault is: one change of one place of the RTL."""

from __future__ import annotations

from dataclasses import dataclass

from fpsim.array.config import ArrayConfig, UnitConfig

# Small: what a fault changes does not depend on the size.
FAULT_CONFIG = ArrayConfig(rows=2, cols=2, unit=UnitConfig(hadamard_n=4))


@dataclass(frozen=True)
class Fault:
    """One change of the RTL.

    Attributes:
        name: short name.
        unit: the unit whose bench must notice.
        file: the file that is changed.
        find: text that occurs exactly once in the file; spaces stand for any white space.
        replace: what takes its place.
        meaning: what goes wrong, in words.
        config: what the unit is built with.
    """

    name: str
    unit: str
    file: str
    find: str
    replace: str
    meaning: str
    config: ArrayConfig = FAULT_CONFIG
