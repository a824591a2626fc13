"""What other libraries compute, step by step in numpy float32, from their sources.

Each function takes a float32 matrix whose rows are whole blocks and returns scale codes and element codes
(and the tensor scale). Casts are those of ml_dtypes, which these libraries' casts equal.
"""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np

Matrix = np.ndarray[Any, Any]

F = np.float32
ONE, SIX = F(1), F(6)
FLT_MAX = np.finfo(F).max
ELEMENTS = {
    "e2m1": ml_dtypes.float4_e2m1fn,
    "e2m3": ml_dtypes.float6_e2m3fn,
    "e3m2": ml_dtypes.float6_e3m2fn,
    "e4m3": ml_dtypes.float8_e4m3fn,
    "e5m2": ml_dtypes.float8_e5m2,
}


def cast(x: Matrix, element: str) -> Matrix:
    """Saturating cast to codes, to nearest even."""
    top = F(float(ml_dtypes.finfo(ELEMENTS[element]).max))
    return np.clip(x, -top, top).astype(ELEMENTS[element]).view(np.uint8)


def to_blocks(x: Matrix, size: int) -> Matrix:
    return x.reshape(x.shape[0], -1, size)


def mx(x: Matrix, element: str, rule: str) -> tuple[Matrix, Matrix]:
    """torchao 0.18, prototype/mx_formats/mx_tensor.py `to_mx`; elements divided by 2^(code - 127).

    rceil: the steps of cuBLAS's "computing scaling and conversion factors" for UE8M0 scales: S = amax / top
    in float32, the exponent field plus one where S is normal with a non-zero significand field, or subnormal
    and above 2^-127. EVEN and CEIL count a subnormal's field as if it were normal, as torchao does.
    """
    info = ml_dtypes.finfo(ELEMENTS[element])
    emax, man_bits = int(np.log2(float(info.max))), info.nmant
    blocks = to_blocks(x, 32)
    amax = np.abs(blocks).max(axis=-1)
    if rule == "rceil":
        bits = (amax / F(float(info.max))).view(np.int32)
        field, stored = bits >> 23, bits & 0x7FFFFF
        up = np.where(field > 0, stored > 0, stored > 0x400000)
        code = np.minimum(field + up, 254)
    else:
        bits = amax.view(np.int32)
        if rule == "even":
            bits = (bits + (1 << (22 - man_bits))) & 0x7F800000
        power = ((bits >> 23) & 0xFF) - 127
        if rule == "ceil":
            power = power + ((bits & 0x7FFFFF) > 0)
        code = np.clip(power - emax, -127, 128) + 127
    scale = np.ldexp(1.0, code - 127)
    scaled = (blocks.astype(np.float64) / scale[..., None]).astype(F)
    return code.astype(np.uint8), cast(scaled, element).reshape(x.shape)


def ue4m3(s: Matrix) -> tuple[Matrix, Matrix]:
    codes = np.minimum(s, F(448)).astype(ml_dtypes.float8_e4m3fn)
    return codes.view(np.uint8), codes.astype(F)


def paper(x: Matrix, amax: np.float32, divide: bool = False) -> tuple[Matrix, Matrix, np.float32]:
    """arXiv 2509.25149, appendix B, equations 1 to 5, all in float32."""
    s_enc = F(6 * 448) / amax
    s_dec = ONE / s_enc
    blocks = to_blocks(x, 16)
    codes, s = ue4m3(np.abs(blocks).max(axis=-1) / SIX * s_enc)
    total = (s * s_dec)[..., None]
    scaled = blocks / total if divide else blocks * (ONE / total)
    return codes, cast(scaled, "e2m1").reshape(x.shape), s_dec


def te_cast(x: Matrix) -> Matrix:
    """`cast_to_fp4x2`: comparisons, by which −0 is code 0."""
    return np.where(x == 0, 0, cast(x, "e2m1")).astype(np.uint8)


def te(x: Matrix, amax: np.float32) -> tuple[Matrix, Matrix, np.float32]:
    """TransformerEngine, quantization_ref_nvfp4.py `_quantize_blockwise_reference`."""
    encode = np.minimum(F(448 * 6) / amax, FLT_MAX)
    decode = ONE / encode
    blocks = to_blocks(x, 16)
    multiplier = encode * (ONE / SIX)
    codes, s = ue4m3(np.minimum(np.abs(blocks).max(axis=-1) * multiplier, FLT_MAX))
    factor = np.minimum(ONE / (s * decode), FLT_MAX)
    return codes, te_cast(blocks * factor[..., None]).reshape(x.shape), decode


def modelopt(x: Matrix, amax: np.float32) -> tuple[Matrix, Matrix, np.float32]:
    """ModelOpt 0.47, qtensor/nvfp4_tensor.py `quantize`, `_cast_fp4`: bounds, and one more where they tie."""
    second = amax / F(6 * 448)
    blocks = to_blocks(x, 16)
    scale = np.abs(blocks).max(axis=-1) / (SIX * second)
    scale[scale == 0] = 1
    codes, s = ue4m3(np.maximum(scale, F(2**-9)))
    scaled = (blocks / (s * second)[..., None]).reshape(x.shape)
    bounds = np.array([0.25, 0.75, 1.25, 1.75, 2.5, 3.5, 5], F)
    index = np.searchsorted(bounds, np.abs(scaled)) + np.isin(np.abs(scaled), bounds[1::2])
    return codes, ((scaled < 0) * 8 + index).astype(np.uint8), second


def torchao(x: Matrix, amax: np.float32) -> tuple[Matrix, Matrix, np.float32]:
    """torchao 0.18, prototype/mx_formats/nvfp4_tensor.py `nvfp4_quantize` with a tensor scale."""
    second = amax / F(448 * 6)
    blocks = to_blocks(x, 16)
    codes, s = ue4m3(np.maximum(np.abs(blocks).max(axis=-1) / SIX / second, F(2**-6)))
    factor = (ONE / second) / s
    return codes, cast(blocks * factor[..., None], "e2m1").reshape(x.shape), second


def four_over_six(x: Matrix, amax: np.float32, norm: str, cap: int) -> tuple[Matrix, Matrix, np.float32]:
    """TransformerEngine, `_quantize_blockwise_4over6_reference`; "absmax" as in mit-han-lab/fouroversix."""
    encode = np.minimum(F(cap * 6) / amax, FLT_MAX)
    decode = ONE / encode
    blocks = to_blocks(x, 16)
    base = np.abs(blocks).max(axis=-1) / SIX * encode
    results = []
    for scale in (base, base * F(1.5)):
        codes, s = ue4m3(scale)
        factor = np.minimum(ONE / (s * decode), FLT_MAX)
        elements = cast(blocks * factor[..., None], "e2m1")
        value = elements.view(ml_dtypes.float4_e2m1fn).astype(F) * s[..., None] * amax / F(6 * cap)
        off = np.abs(value - blocks)
        error = off[..., 0] * off[..., 0] if norm == "mse" else off[..., 0]
        for i in range(1, 16):
            if norm == "absmax":
                error = np.maximum(error, off[..., i])
            else:
                error = error + (off[..., i] * off[..., i] if norm == "mse" else off[..., i])
        results.append((codes, elements, error))
    four = results[1][2] < results[0][2]
    codes = np.where(four, results[1][0], results[0][0])
    elements = np.where(four[..., None], results[1][1], results[0][1])
    return codes, elements.reshape(x.shape), decode
