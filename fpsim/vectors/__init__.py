"""Golden vectors: make, write, read, check."""

from fpsim.vectors.golden_set import Field, GoldenSet, pack_lanes, read, unpack_lanes, write

__all__ = ["Field", "GoldenSet", "pack_lanes", "read", "unpack_lanes", "write"]
