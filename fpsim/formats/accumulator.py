"""What a sum means: one frozen description of how a dot product is added up."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Literal, get_args

from fpsim.formats.spec import Format
from fpsim.formats.table import FORMATS, get

Kind = Literal["exact", "sequential", "tree", "exact-plus-c", "aligned"]
Overflow = Literal["wrap", "saturate", "saturate-end", "ieee", "inf"]
Rounding = Literal["rne", "rna", "rtz", "rup", "rdn", "stochastic"]

_OVERFLOWS: dict[str, tuple[str, ...]] = {
    "exact": ("wrap", "saturate", "saturate-end"),
    "sequential": ("ieee", "inf", "saturate"),
    "tree": ("ieee", "inf", "saturate"),
    "exact-plus-c": ("ieee", "inf", "saturate"),
    "aligned": ("ieee", "inf", "saturate"),
}
# The attributes that each kind reads beside kind, overflow and, where it rounds, fmt and rounding.
_USED: dict[str, tuple[str, ...]] = {
    "exact": ("bits",),
    "sequential": ("fused", "scale", "block"),
    "tree": ("fused", "step", "scale", "block"),
    "exact-plus-c": ("step", "scale", "block"),
    "aligned": (
        "step", "group", "fraction_bits", "integer_bits", "c_inside", "zero_exponent", "scale", "block",
    ),
}  # fmt: skip
_MAX_STEP = 1 << 20
_FP32 = FORMATS["fp32"]


@dataclass(frozen=True)
class Accumulator:
    """How the products of a dot product are added; the class methods make each kind.

    Attributes:
        kind: "exact": products are integers in units of the two formats' smallest steps, added in order of k
            in a two's complement register; nothing is rounded. "sequential": one product after the other
            onto a floating-point sum. "tree": `step` products at a time through a pairwise adder tree whose
            adders all round, then onto the sum. "exact-plus-c": `step` products and the sum so far added
            exactly, rounded once. "aligned": `step` products cut off at a common bit, then added exactly.
        bits: exact: width of the register, 2 to 63.
        overflow: what happens beyond the range. exact: "wrap" modulo 2^bits (two's complement hardware),
            "saturate" clamped after every addition, "saturate-end" the exact sum, clamped once. The others,
            on a finite sum: "ieee" (IEEE 754 section 7.4: infinity, or the largest finite value where the
            rounding points toward zero), "inf" (infinity, whatever the rounding, once the rounded magnitude
            reaches the next power of two), "saturate" (the largest finite value).
        fmt: the format of the sum and of the result, a signed float whose values float32 holds. None: exact.
        rounding: "rne", "rna" (ties away), "rtz", "rup", "rdn", of every rounding named above. "stochastic",
            all kinds but aligned: by random bits that come with the operands, some for each of `roundings`;
            beyond the range it counts as a rounding to nearest (ours).
        fused: sequential, tree: products enter exactly; False: each is rounded to fmt first.
        step: products per rounding of the sum; tree: its width, a power of two. 0: all K (exact-plus-c).
        group: aligned: products that are summed exactly into one term before the alignment.
        fraction_bits: aligned: bits kept below the window's unit.
        integer_bits: aligned, C outside: bits above the unit; every product must fit.
        c_inside: aligned: True: C is one more term, and the window's unit is 2^(largest exponent of a term);
            False: the unit is the product of the two scales (or 1), and C joins the exact sum afterwards.
        zero_exponent: aligned, C inside: the exponent that a zero term counts with.
        scale: format of the block scales of both operands, e8m0 or ue4m3; None: no scales.
        block: elements per scale; 0: no scales.
    """

    kind: Kind
    bits: int = 0
    overflow: Overflow = "wrap"
    fmt: Format | None = None
    rounding: Rounding = "rne"
    fused: bool = True
    step: int = 1
    group: int = 1
    fraction_bits: int = 0
    integer_bits: int = 0
    c_inside: bool = True
    zero_exponent: int = 0
    scale: Format | None = None
    block: int = 0

    def __post_init__(self) -> None:
        _check_choice("kind", self.kind, get_args(Kind))
        _check_choice("overflow", self.overflow, _OVERFLOWS[self.kind])
        used = _USED[self.kind] + (("kind", "overflow") if self.kind == "exact" else _ALWAYS)
        for field in fields(self):
            if field.name not in used and getattr(self, field.name) != field.default:
                raise ValueError(
                    f"{field.name}={getattr(self, field.name)!r}: not a property of {self.kind!r}"
                )
        if self.kind == "exact":
            _check_int("bits", self.bits, 2, 63)
            return
        _check_choice("rounding", self.rounding, get_args(Rounding)[: -1 if self.kind == "aligned" else None])
        self._check_format()
        self._check_steps()
        self._check_scales()

    def _check_format(self) -> None:
        fmt = self.fmt
        if not isinstance(fmt, Format) or fmt.kind != "float" or not fmt.signed or fmt.scale != 1:
            raise ValueError(f"fmt={fmt!r}: expected a signed float format of scale 1")
        if fmt.step < _FP32.step or fmt.max_value > _FP32.max_value:
            raise ValueError(f"fmt={fmt.name!r}: expected a format whose values float32 holds")
        if self.overflow in ("ieee", "inf") and not fmt.has_inf:
            raise ValueError(f"overflow={self.overflow!r}: {fmt.name} has no infinity; expected 'saturate'")

    def _check_steps(self) -> None:
        _check_int("step", self.step, 0 if self.kind == "exact-plus-c" else 1, _MAX_STEP)
        if self.kind == "tree" and self.step & (self.step - 1):
            raise ValueError(f"step={self.step}: expected a power of two, the width of the tree")
        if self.kind != "aligned":
            return
        _check_int("group", self.group, 1, self.step)
        if self.step % self.group:
            raise ValueError(f"group={self.group}: expected a divisor of step={self.step}")
        _check_int("fraction_bits", self.fraction_bits, 1, 48)
        _check_int("integer_bits", self.integer_bits, 0, 0 if self.c_inside else 64)
        _check_int("zero_exponent", self.zero_exponent, -300, 300 if self.c_inside else 0)
        if not self.c_inside and (self.integer_bits < 1 or self.group != 1 or self.zero_exponent):
            raise ValueError(
                f"c_inside=False: expected integer_bits of 1 to 64, group=1 and zero_exponent=0, "
                f"not {self.integer_bits}, {self.group} and {self.zero_exponent}"
            )

    def _check_scales(self) -> None:
        if self.scale is None:
            _check_int("block", self.block, 0, 0)
            return
        if self.scale not in (FORMATS["e8m0"], FORMATS["ue4m3"]):
            raise ValueError(f"scale={self.scale!r}: expected e8m0, ue4m3 or None")
        _check_int("block", self.block, 1, _MAX_STEP)
        if self.block % self.group:
            raise ValueError(f"block={self.block}: expected a multiple of group={self.group}")
        if not self.c_inside and (self.step == 0 or self.block % self.step):
            raise ValueError(f"block={self.block}: expected a multiple of step={self.step} with C outside")

    def roundings(self, depth: int) -> int:
        """How often one output of a product of K = depth is rounded, a C that is rounded first aside.

        The order, which is the order of random bits: sequential: for every k the product, unless fused, then
        the sum. tree: for every `step` products each of them, unless fused, then the adders from the leaves
        to the root, each level from its first to its last pair, then the sum. Others: once a step.
        """
        if self.kind == "exact":
            return 0
        if self.kind in ("sequential", "tree"):
            return depth if self.fused else 2 * depth
        return -(-depth // (self.step or max(depth, 1)))

    @classmethod
    def exact(cls, bits: int = 32, overflow: Overflow = "wrap") -> Accumulator:
        """A fixed-point accumulator without rounding; what the array's RTL does (26 bits, wrap)."""
        return cls("exact", bits, overflow)

    @classmethod
    def sequential(
        cls,
        fmt: str | Format,
        rounding: Rounding = "rne",
        fused: bool = True,
        *,
        overflow: Overflow | None = None,
        scale: str | Format | None = None,
        block: int = 0,
    ) -> Accumulator:
        """A multiply-accumulate unit: every addition rounded to fmt. overflow None: see `_default`."""
        found = get(fmt)
        return cls(
            "sequential", 0, overflow or _default(found), found, rounding, fused,
            scale=_scale(scale), block=block,
        )  # fmt: skip

    @classmethod
    def tree(
        cls,
        fmt: str | Format,
        width: int,
        rounding: Rounding = "rne",
        fused: bool = True,
        *,
        overflow: Overflow | None = None,
        scale: str | Format | None = None,
        block: int = 0,
    ) -> Accumulator:
        """`width` products through a pairwise adder tree, its sum onto the running one; all adders round."""
        found = get(fmt)
        return cls(
            "tree", 0, overflow or _default(found), found, rounding, fused, width,
            scale=_scale(scale), block=block,
        )  # fmt: skip

    @classmethod
    def exact_plus_c(
        cls,
        fmt: str | Format = "fp32",
        rounding: Rounding = "rne",
        *,
        step: int = 0,
        overflow: Overflow = "saturate",
        scale: str | Format | None = None,
        block: int = 0,
    ) -> Accumulator:
        """`step` products (0: all K) and the sum so far, exactly, rounded once; overflow clamps."""
        return cls(
            "exact-plus-c", 0, overflow, get(fmt), rounding, step=step, scale=_scale(scale), block=block
        )

    @classmethod
    def aligned(
        cls,
        *,
        fraction_bits: int,
        step: int,
        group: int = 1,
        c_inside: bool = True,
        integer_bits: int = 0,
        zero_exponent: int = 0,
        fmt: str | Format = "fp32",
        rounding: Rounding = "rtz",
        overflow: Overflow = "inf",
        scale: str | Format | None = None,
        block: int = 0,
    ) -> Accumulator:
        """Terms cut off toward zero at a common bit and added exactly: tensor cores, anchored fixed point."""
        return cls(
            "aligned", 0, overflow, get(fmt), rounding, True, step, group, fraction_bits, integer_bits,
            c_inside, zero_exponent, _scale(scale), block,
        )  # fmt: skip


_ALWAYS = ("kind", "overflow", "fmt", "rounding")


def _default(fmt: Format) -> Overflow:
    """What overflow does unless stated: IEEE's rule where the format has infinities, else saturation."""
    return "ieee" if fmt.has_inf else "saturate"


def _scale(name: str | Format | None) -> Format | None:
    return None if name is None else get(name)


def _check_choice(name: str, value: object, legal: tuple[str, ...]) -> None:
    if value not in legal:
        raise ValueError(f"{name}={value!r}: expected one of {', '.join(map(repr, legal))}")


def _check_int(name: str, value: object, low: int, high: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise ValueError(f"{name}={value!r}: expected an integer from {low} to {high}")
