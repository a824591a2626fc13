"""The class that samples each unit."""

from __future__ import annotations

from collections.abc import Callable

from fpsim.array.config import ArrayConfig
from fpsim.verify.covergroups.floats import DotSampler, MacFloatSampler
from fpsim.verify.covergroups.flows import HadamardOuterSampler, QueueSampler
from fpsim.verify.covergroups.operands import DecodeSampler, MacSampler, MulSampler
from fpsim.verify.covergroups.quantizers import QuantizerSampler, WideQuantizerSampler
from fpsim.verify.covergroups.registers import GroupRegistersSampler, LfsrSampler, RowSumSampler
from fpsim.verify.covergroups.results import EpilogueSampler, WideEpilogueSampler
from fpsim.verify.covergroups.rows import (
    AlignSampler,
    AmaxSampler,
    HadamardSampler,
    RangeSampler,
    RowScaleSampler,
    ZeroCorrectionSampler,
    ZeroPointSampler,
)
from fpsim.verify.covergroups.sampler import Sampler
from fpsim.verify.covergroups.tiles import MacArraySampler
from fpsim.verify.ports import Unit

SAMPLERS: dict[str, Callable[[Unit, ArrayConfig], Sampler]] = {
    "decode": DecodeSampler,
    "mul": MulSampler,
    "mac": MacSampler,
    "mac_array": MacArraySampler,
    "align": AlignSampler,
    "hadamard": HadamardSampler,
    "amax": AmaxSampler,
    "row_scale": RowScaleSampler,
    "quantizer": QuantizerSampler,
    "epilogue": EpilogueSampler,
    "mac_float": MacFloatSampler,
    "dot_mx": DotSampler,
    "dot_nvfp4": DotSampler,
    "lfsr": LfsrSampler,
    "wide_quantizer": WideQuantizerSampler,
    "range": RangeSampler,
    "zero_point": ZeroPointSampler,
    "row_sum": RowSumSampler,
    "group_registers": GroupRegistersSampler,
    "zero_correction": ZeroCorrectionSampler,
    "wide_epilogue": WideEpilogueSampler,
    "hadamard_outer": HadamardOuterSampler,
    "fifo": QueueSampler,
    "skid": QueueSampler,
}


def sampler(unit: Unit, config: ArrayConfig) -> Sampler:
    """A sampler of a unit, with nothing sampled.

    Raises:
        ValueError: a unit without a covergroup.
    """
    try:
        return SAMPLERS[unit.name](unit, config)
    except KeyError:
        raise ValueError(f"unit={unit.name!r}: expected one of {', '.join(SAMPLERS)}") from None
