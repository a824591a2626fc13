"""Every kernel on small inputs, as one dictionary of lists; run as a script, it prints it as JSON."""

from __future__ import annotations

import json

import numpy as np

from fpsim.formats import FORMATS, PRESETS, Accumulator
from fpsim.formats.tensor_recipes import TENSOR_RECIPES, MxRecipe, NvRecipe
from fpsim.kernels.align import align
from fpsim.kernels.butterfly import hadamard_fixed, hadamard_fp16, stage_radices
from fpsim.kernels.cast import decode, encode
from fpsim.kernels.decode import decode_operand, decode_units
from fpsim.kernels.epilogue import epilogue
from fpsim.kernels.float32 import scaled_product, to_float32
from fpsim.kernels.hadamard import hadamard, hadamard_blocks
from fpsim.kernels.integer_quantizer import integer_quantizer
from fpsim.kernels.integer_rows import quantize_integer_rows
from fpsim.kernels.lfsr import lfsr_words
from fpsim.kernels.mac_array import mac_array
from fpsim.kernels.matmul import matmul
from fpsim.kernels.mx_block import mx_blocks
from fpsim.kernels.nv_block import nv_blocks
from fpsim.kernels.pack import pack, unpack
from fpsim.kernels.quantizer import amax, quantizer
from fpsim.kernels.row_scale import amplitude, row_scale
from fpsim.kernels.rows import quantize_rows
from fpsim.kernels.stochastic_quantizer import stochastic_quantizer
from fpsim.kernels.vector_scale import vectors
from fpsim.kernels.wide_epilogue import wide_epilogue
from fpsim.kernels.zero_sums import code_sums, without_zeros

OPERANDS = ("e2m1", "e3m0", "e1m2", "int4")


def datapath() -> dict[str, object]:
    rng = np.random.default_rng(17)
    results: dict[str, object] = {}
    x = rng.normal(size=(4, 48)).astype(np.float16).view(np.uint16)
    x[0, :4] = (0x7C00, 0xFFFF, 0x8001, 0x0000)
    x[1] = 0
    signs = rng.choice([-1, 1], 48).astype(np.int8)
    for exp in (None, 9):
        ints, exps, special = align(x, 4, exp=exp)
        results[f"align {exp}"] = [ints, exps, special]
    for n in (1, 2, 4, 8, 16, 12, 24, 48):
        results[f"hadamard {n}"] = hadamard_blocks(ints, n, signs)
    results["hadamard"] = hadamard(ints.astype(np.int64))
    for n, base in ((36, None), (72, None), (144, 144)):
        block = rng.integers(-99, 99, (1, n), dtype=np.int32)
        shifts = [1] * len(stage_radices(n, base))
        half = block.astype(np.float16).view(np.uint16)
        results[f"hadamard {n} {base}"] = hadamard_blocks(block, n, base=base)
        results[f"fixed {n} {base}"] = hadamard_fixed(block, n, shifts, 8, "rna", base=base)
        results[f"fp16 {n} {base}"] = hadamard_fp16(half, n, shifts, base=base)
    amp = amplitude(amax(ints))
    results["row_scale"] = [amp, row_scale(amp, exps, 4)]
    col_scale = ((rng.integers(100, 120, 5) << 10) | rng.integers(0, 1024, 5)).astype(np.uint32)
    bias = rng.normal(size=5).astype(np.float16).view(np.uint16)
    results["lfsr"] = list(lfsr_words(99, 20, 31))
    draws = rng.integers(0, 32, ints.shape, dtype=np.uint8)
    zeros = np.array([-8, -1, 0, 7], np.int32)
    for fmt in (*OPERANDS, "int6", "int8"):
        for zero in (None, zeros) if fmt.startswith("int") else (None,):
            codes = stochastic_quantizer(ints, amp, fmt, (draws, 5), zero)
            results[f"stochastic {fmt} {zero is None}"] = codes
    sums = rng.integers(-(2**40), 2**40, (4, 5))
    for result in ("fp16", "bf16", "fp32"):
        for far in (0, 60, 100):
            rows = np.array([0, (127 - far) << 10, (127 + far) << 10 | 7, 120 << 10], np.uint32)
            results[f"wide_epilogue {result} {far}"] = wide_epilogue(sums, rows, col_scale, bias, result)
    for fmt in OPERANDS:
        results[f"quantizer {fmt}"] = quantizer(ints, amp, fmt)
        codes, scale, special = quantize_rows(x, guard_bits=4, hadamard_n=16, signs=signs, fmt=fmt)
        results[f"rows {fmt}"] = [codes, scale, special]
        weights = rng.integers(0, 16, (5, 48), dtype=np.uint8)
        results[f"decode {fmt}"] = [decode_units(weights, fmt), decode_operand(weights, fmt)]
        for overflow in ("wrap", "saturate", "saturate-end"):
            results[f"mac {fmt} {overflow}"] = mac_array(codes, weights, fmt, "e3m0", 11, overflow)
        acc = mac_array(codes, weights, fmt, "e2m1", 26)
        results[f"epilogue {fmt}"] = epilogue(acc, scale, col_scale, bias)
    for fmt in ("int4", "int6", "int8"):
        integers = quantize_integer_rows(x, guard_bits=4, hadamard_n=16, signs=signs, fmt=fmt, zero="row")
        results[f"integer rows {fmt}"] = list(integers)
        results[f"integer quantizer {fmt}"] = integer_quantizer(ints, amp, fmt)
        sums = code_sums(integers.codes, fmt)
        acc = mac_array(integers.codes, integers.codes, fmt, fmt, 26)
        results[f"zero sums {fmt}"] = without_zeros(
            acc,
            depth=48,
            row_sums=sums,
            col_sums=sums,
            act_zero=integers.zeros,
            weight_zero=integers.zeros.astype(np.int16),
        )
    wide = np.array([[0x1F, 0x3F, 0x0F, 0x00] * 30], np.uint8)
    results["mac e3m2"] = mac_array(wide, wide, "e3m2", "e3m2", 63)
    return results


def casts() -> dict[str, object]:
    rng = np.random.default_rng(18)
    results: dict[str, object] = {}
    x = np.concatenate(
        [rng.normal(size=60) * 2.0 ** rng.integers(-12, 10, 60), [0.0, -0.0, np.inf, -np.inf, 1e-45]]
    )
    random = (rng.integers(0, 16, x.size), 4)
    for name, fmt in FORMATS.items():
        for dtype in (np.float16, np.float32, np.float64):
            if dtype != np.float16 or fmt.bits <= 16:
                with np.errstate(over="ignore", under="ignore"):
                    results[f"encode {name} {dtype.__name__}"] = encode(x.astype(dtype), fmt)
        for rounding in ("rna", "rtz", "rup", "rdn"):
            results[f"encode {name} {rounding}"] = encode(x, fmt, rounding=rounding)
        codes = encode(x, fmt, rounding="stochastic", random_bits=random)
        results[f"encode {name} stochastic"] = codes
        results[f"decode {name}"] = decode(codes, fmt).view(np.uint32)
    results["torch tie"] = encode(x, "e3m0", e3m0_tie="torch")
    results["even tie"] = encode(x, "e3m0", e3m0_tie="code_even")
    for name in ("e2m1", "e3m0", "e1m2", "e4m3", "int4"):
        scaled = FORMATS[name].scaled(0.7)
        codes = encode(x, scaled)
        results[f"scaled {name}"] = [codes, encode(x.astype(np.float32), scaled)]
        results[f"scaled {name} stochastic"] = encode(x, scaled, rounding="stochastic", random_bits=random)
        results[f"scaled {name} decoded"] = decode(codes, scaled)
    results["nan"] = encode(np.array([np.nan, 1.0], np.float32), "e2m1", nan="modelopt")
    results["nan code"] = encode(np.array([np.nan, -1.0]), "e4m3")
    results["pack"] = unpack(pack(np.arange(16, dtype=np.uint8)))
    return results


def blocks() -> dict[str, object]:
    rng = np.random.default_rng(19)
    x = (rng.normal(size=(4, 40)) * [[1], [1e-40], [1e30], [1e-3]]).astype(np.float32)
    x[0, :4] = (0.0, -0.0, 6.0, 1e-45)
    results: dict[str, object] = {}
    for name, recipe in TENSOR_RECIPES.items():
        if isinstance(recipe, MxRecipe):
            results[name] = mx_blocks(x, recipe)
        elif isinstance(recipe, NvRecipe):
            results[name] = [*nv_blocks(x, recipe), *nv_blocks(x, recipe, np.float32(3))]
        else:
            results[name] = vectors(x, recipe)
    results["products"] = scaled_product(x, x, np.float32(3)).view(np.uint32)
    results["rounded"] = to_float32(rng.normal(size=50) * 10.0 ** rng.integers(-46, 40, 50)).view(np.uint32)
    return results


def sums() -> dict[str, object]:
    rng = np.random.default_rng(20)
    results: dict[str, object] = {}
    a, b = rng.integers(0, 256, (2, 33), dtype=np.uint8), rng.integers(0, 256, (3, 33), dtype=np.uint8)
    four = rng.integers(0, 16, (3, 33), dtype=np.uint8)
    c = np.array([[0.0, -0.0, np.inf], [1e-45, -3.4e38, 1.5]], np.float32)
    wide, narrow = {"a_fmt": "e5m2", "b_fmt": "e4m3"}, {"a_fmt": "e2m1", "b_fmt": "e2m1"}
    for fmt in ("fp32", "fp16", "bf16", "e5m2"):
        kinds = [Accumulator.sequential(fmt, "rup"), Accumulator.tree(fmt, 4, fused=False)]
        for acc in [*kinds, Accumulator.exact_plus_c(fmt), Accumulator.exact_plus_c(fmt, step=8)]:
            results[f"{acc.kind} {fmt} {acc.step}"] = matmul(a, b, **wide, acc=acc, c=c)
        results[f"fast {fmt}"] = matmul(four, four, **narrow, acc=Accumulator.sequential(fmt))
    results["saturating"] = matmul(four, four, **narrow, acc=Accumulator.sequential("e4m3"))
    results["plus c"] = matmul(four[:2], four, **narrow, acc=Accumulator.exact(), c=c)
    results["hopper"] = matmul(a, b, **wide, acc="hopper-f8-acc16", c=c)
    for name in ("rtx-blackwell-nvfp4", "mxdotp-anchored"):
        blocks = -(-33 // PRESETS[name].block)
        scales = rng.integers(0, 128, (3, blocks), dtype=np.uint8)
        options = {"a_scale": scales[:2], "b_scale": scales, "c": c}
        results[name] = matmul(four[:2], four, **narrow, acc=name, **options)
    return {name: np.asarray(array).view(np.uint32) for name, array in results.items()}


def small_results() -> dict[str, object]:
    """All results, arrays turned into lists."""
    results = {**datapath(), **casts(), **blocks(), **sums()}
    return json.loads(json.dumps(results, default=lambda array: array.tolist()))


if __name__ == "__main__":
    print(json.dumps(small_results()))
