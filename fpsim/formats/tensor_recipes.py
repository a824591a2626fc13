"""The recipes of `fpsim.quantize` as data: from the values of a tensor to its codes and scales.

Common to all. Vectors and blocks run along one axis of the tensor and never straddle two rows of it. A row
that is no multiple of the block size is padded with +0: its last block is shorter, and the padding is not
stored. Element codes are rounded to nearest, ties to the even code (E3M0: by the torch rule), and saturate.
`amax` is the largest magnitude. Every operation below is one IEEE 754 float32 operation, subnormals included,
whatever flush-to-zero setting the process has.

MX recipes, `mxfp4-*`, `mxfp6-e2m3-*`, `mxfp6-e3m2-*`, `mxfp8-e4m3-*`, `mxfp8-e5m2-*`: blocks of 32, one E8M0
scale code c each, for 2^(c − 127); `emax` is the exponent of the element format's largest value, `top` that
value. An element's code is that of x / scale, which is exact.

| rule  | exponent of the scale, before it is clamped to −127 .. 127 |
|-------|------|
| floor | floor(log2 amax) − emax |
| even  | floor(log2 of amax rounded to the element's significand bits, ties up) − emax |
| ceil  | ceil(log2 amax) − emax |
| rceil | ceil(log2(amax / top)) |

Zero block: scale code 0, element codes ±0. Underflow: an amax below 2^(emax − 127) takes scale code 0
(2^-127), and elements are rounded against that. Overflow cannot happen (128 − 2 < 127). An infinity counts
as 2^128 (rceil: scale code 254) and saturates. A NaN: scale code 0xFF, which makes the whole block NaN, and
element codes 0. Two deviations of torchao 0.18 are not copied: it divides blocks of scale code 0 by 2^-126
(rceil: by 1), and takes the logarithm of rceil in floating point.

NVFP4 recipes, `nvfp4*`: blocks of 16 E2M1 elements, one UE4M3 scale code each (value s, at most 448), and
one float32 scale g of the tensor. cap is 448 (or 256), A the amax of the tensor (or the one given), B of the
block, max the largest finite float32:

| formula  | tensor scale                        | s before its rounding       | factor f of an element |
|----------|-------------------------------------|-----------------------------|------------------------|
| paper    | e = min(6·cap / A, max); g = 1 / e  | (B / 6) · e                 | min(1 / (s · g), max)  |
| te       | as above                            | B · (e · (1 / 6))           | as above               |
| modelopt | g = A / (6·cap), 1 if that is 0     | B / (6 · g), 1 if that is 0 | none: x / (s · g)      |
| torchao  | as above                            | (B / 6) / g                 | min(1 / g, max) / s, ≤ max |

s is then clamped to at most 448, at least 2^-9 (modelopt) or 2^-6 (torchao), and rounded. An element's code
is that of x · f, or with division="divide" of x / (s · g). Zero block: scale code 0; modelopt 0x38 (1.0);
torchao 0x08 (2^-6). Where s underflows to 0 (paper, te), the paper's quotient has no value and the codes are
±0; te keeps its formula, and every element but 0 saturates (it decodes to 0 either way). −0, and negative
numbers that the scaling takes to −0: code 8; te and modelopt code 0. NaN and Inf anywhere are refused: they
leave no tensor scale. "1 if that is 0", and max for torchao, are ours: there the references return NaN. With
the amax 2688 the tensor scale is 1: nvfp4-torchao is then torchao's single level.

Four over six: a second candidate takes (B / 6) · e · 1.5, so that the block's largest element meets 4 in
place of 6; the lower error wins, a tie takes the first. The error of an element is code value · s · A /
(6·cap) − x, of a block the largest magnitude ("absmax"), or the sum of magnitudes ("mae") or squares ("mse")
in order.

Beside the libraries' own Python, run on 240,000 or more random blocks each, extreme scales included: nvfp4-te
equals TransformerEngine 2.20.2, nvfp4-modelopt ModelOpt 0.47 and nvfp4-torchao torchao 0.18 (but for tensors
that underflow, see above) in every bit. Four over six has TransformerEngine's scales and values; its codes
differ where a −0 is code 0 there and where elements under scale 0 saturate. The package fouroversix 1.0.5
differs in 0.9 % of blocks; those looked at have scale codes up to 4, where its elements do not saturate.

Vector recipes, `per-token-*`, `per-channel-*` (one scale per vector along the axis), `per-tensor-*`: scale =
amax / top in float32, and an element's code is that of x / scale. INT4 uses −7 to 7, INT8 −127 to 127. The
amax may be given: what is beyond saturates. `*-mse` searches the clip: scales k · amax / (64 · top), one
rounding, k = 26 to 64; the lowest error wins, of equal ones the largest k. Error: the sum, in order, of
(x − code value · scale)², each step rounded to float64. Zero vector: scale 1. Refused: NaN, Inf, a scale that
underflows to 0.

Quantizing what is on the grid: vectors and blocks of finite values return the same values again, with these
exceptions. A vector scale or a tensor scale may move by a rounding (NVFP4 with the same amax given: never).
An NVFP4 scale in the subnormal range of UE4M3 is too coarse: with s = 2 · 2^-9 and a largest element of 4,
B / 6 is 1.33 · 2^-9, which rounds to 2^-9. Four over six and the clip search choose anew. rceil and ceil may
halve a scale and double its codes: the values stay. even, ceil and rceil round what is next to 2^128 up to
it, which float32 does not hold. te and modelopt take a −0 of the first time to 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

MxRule = Literal["floor", "even", "ceil", "rceil"]
NvFormula = Literal["paper", "te", "modelopt", "torchao"]
Division = Literal["reciprocal", "divide"]
ErrorNorm = Literal["absmax", "mae", "mse"]
Scope = Literal["per-token", "per-channel", "per-tensor"]

CLIP_STEPS = 64  # the clip search's candidates are amax · k / 64 ...
CLIP_FIRST = 26  # ... for k = 26 (0.41) to 64


@dataclass(frozen=True)
class MxRecipe:
    """Blocks under a power of two.

    Attributes:
        name, version, reference: what it is called, which edition of it, and who defines it.
        element: format of the elements.
        rule: how the scale follows from the largest magnitude.
        block_size: elements under one scale.
        scale: format of the scale codes.
    """

    name: str
    version: int
    reference: str
    element: str
    rule: MxRule
    block_size: int = 32
    scale: str = "e8m0"


@dataclass(frozen=True)
class NvRecipe:
    """Blocks under an FP8 scale, under a float32 scale of the whole tensor.

    Attributes:
        name, version, reference: as in `MxRecipe`.
        formula: the row of the table above.
        division: "reciprocal": elements are multiplied by the rounded reciprocal; "divide": divided.
        smallest_scale: scale code that smaller scales are raised to.
        scale_cap: the block scale that the tensor's largest magnitude is given.
        four_over_six: the error that chooses between two candidates; None: one candidate.
        keep_negative_zero: −0 has code 8, else 0.
        element, scale, block_size: as in `MxRecipe`.
    """

    name: str
    version: int
    reference: str
    formula: NvFormula
    division: Division = "reciprocal"
    smallest_scale: int = 0
    scale_cap: int = 448
    four_over_six: ErrorNorm | None = None
    keep_negative_zero: bool = True
    element: str = "e2m1"
    scale: str = "ue4m3"
    block_size: int = 16


@dataclass(frozen=True)
class VectorRecipe:
    """One float32 scale per vector, or for the whole tensor.

    Attributes:
        name, version, reference, element: as in `MxRecipe`.
        scope: whose largest magnitude sets the scale.
        clip_search: the scale is searched below the largest magnitude for the lowest squared error.
    """

    name: str
    version: int
    reference: str
    element: str
    scope: Scope
    clip_search: bool = False


TensorRecipe = MxRecipe | NvRecipe | VectorRecipe

_MX_ELEMENTS = {
    "mxfp4": "e2m1",
    "mxfp6-e2m3": "e2m3",
    "mxfp6-e3m2": "e3m2",
    "mxfp8-e4m3": "e4m3",
    "mxfp8-e5m2": "e5m2",
}
_MX_RULES: dict[MxRule, str] = {
    "floor": "OCP Microscaling Formats v1.0, section 6.3",
    "even": "torchao 0.18, ScaleCalculationMode.EVEN",
    "ceil": "torchao 0.18, ScaleCalculationMode.CEIL",
    "rceil": "cuBLAS documentation, 1D block scaling with UE8M0 scales; torchao 0.18, RCEIL",
}
_NVFP4 = "arXiv 2509.25149, appendix B"
_FOUR_OVER_SIX = "arXiv 2512.02010; TransformerEngine @0a6e0d6, NVFP4QuantizerRef with nvfp4_use_4over6"
_SCOPES: tuple[Scope, ...] = ("per-token", "per-channel", "per-tensor")
_NORMS: tuple[ErrorNorm, ...] = ("absmax", "mae", "mse")


def _all_recipes() -> tuple[TensorRecipe, ...]:
    vectors = tuple(
        VectorRecipe(f"{scope}-{element}{'-mse' * search}", 1, reference, element, scope, search)
        for search, reference in ((False, "symmetric absmax"), (True, "absmax with a clip search, ours"))
        for scope in _SCOPES
        for element in ("e2m1", "e3m0", "e1m2", "int4", "int8")
    )
    mx = tuple(
        MxRecipe(f"{prefix}-{rule}", 1, reference, element, rule)
        for prefix, element in _MX_ELEMENTS.items()
        for rule, reference in _MX_RULES.items()
    )
    nv = (
        NvRecipe("nvfp4", 1, _NVFP4, "paper"),
        NvRecipe("nvfp4-divide", 1, f"{_NVFP4}, with one division per element", "paper", division="divide"),
        NvRecipe(
            "nvfp4-te", 1, "TransformerEngine @0a6e0d6, NVFP4QuantizerRef", "te", keep_negative_zero=False
        ),
        NvRecipe(
            "nvfp4-modelopt", 1, "ModelOpt 0.47, NVFP4QTensor.quantize", "modelopt", "divide", 0x01,
            keep_negative_zero=False,
        ),
        NvRecipe("nvfp4-torchao", 1, "torchao 0.18, nvfp4_quantize", "torchao", smallest_scale=0x08),
    )  # fmt: skip
    four_over_six = tuple(
        NvRecipe(
            f"nvfp4-four-over-six-{norm}-{cap}", 1, _FOUR_OVER_SIX, "paper", scale_cap=cap, four_over_six=norm
        )
        for norm in _NORMS
        for cap in (256, 448)
    )
    return vectors + mx + nv + four_over_six


TENSOR_RECIPES: dict[str, TensorRecipe] = {recipe.name: recipe for recipe in _all_recipes()}


def get_tensor_recipe(name: str) -> TensorRecipe:
    """The recipe of that name.

    Raises:
        ValueError: an unknown name; the message lists the known ones.
    """
    try:
        return TENSOR_RECIPES[name]
    except (KeyError, TypeError):
        raise ValueError(f"recipe={name!r}: expected one of {', '.join(TENSOR_RECIPES)}") from None
