"""Block-scaled dot products: both ways against the general accumulator, and where each one is taken."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from fpsim import matmul
from fpsim.formats import Accumulator, get
from fpsim.kernels import dot_block as module
from fpsim.kernels.dot_block import BlockOperand, block_operand, dot_block, exact_in_float32


def operand(
    rng: np.random.Generator, count: int, k: int, fmt: str, scale: str, block: int, codes: tuple[int, int]
) -> BlockOperand:
    form = get(fmt)
    elements = rng.integers(0, form.n_codes, (count, k)).astype(np.uint8)
    elements[(elements & form.magnitude_mask) > form.max_magnitude_code] = 0
    scales = rng.integers(*codes, (count, -(-k // block))).astype(np.uint8)
    return block_operand(elements, scales, fmt, scale, block)


def by_accumulator(a: BlockOperand, b: BlockOperand) -> np.ndarray:
    acc = Accumulator.exact_plus_c("fp32", step=a.block, scale=a.scale_fmt, block=a.block)
    out: np.ndarray = matmul(
        a.codes, b.codes, a_fmt=a.fmt, b_fmt=b.fmt, acc=acc, a_scale=a.scales, b_scale=b.scales
    )
    return out


CASES = {
    # name: element formats, scale, block, range of scale codes, whether the fast way is taken
    "mxfp4": (("e2m1", "e2m1"), "e8m0", 32, (117, 138), True),
    "nvfp4": (("e2m1", "e2m1"), "ue4m3", 16, (0, 127), True),
    "nvfp4, smallest scales": (("e2m1", "e2m1"), "ue4m3", 16, (0, 3), True),
    "mxfp6": (("e2m3", "e3m2"), "e8m0", 32, (120, 135), True),
    "mxfp6 by 4": (("e3m2", "e2m1"), "e8m0", 32, (120, 135), True),
    "int8": (("int8", "e2m1"), "e8m0", 32, (120, 135), True),
    "mxfp8": (("e4m3", "e2m1"), "e8m0", 32, (120, 135), False),
    "tiny scales": (("e2m1", "e2m1"), "e8m0", 32, (0, 4), False),
    "huge scales": (("e2m1", "e2m1"), "e8m0", 32, (240, 255), False),
}


@pytest.mark.parametrize("shape", [(1, 1, 1), (9, 7, 96), (6, 130, 100), (4, 3, 33)])
@pytest.mark.parametrize("name", list(CASES))
def test_both_ways_are_the_general_accumulators(
    name: str, shape: tuple[int, int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    (a_fmt, b_fmt), scale, block, codes, fast = CASES[name]
    rng = np.random.default_rng([list(CASES).index(name), *shape])
    m, n, k = shape
    a = operand(rng, m, k, a_fmt, scale, block, codes)
    b = operand(rng, n, k, b_fmt, scale, block, codes)
    a.codes[0, 0] = b.codes[0, 0] = 1  # so that a scale that is too small or too large is met
    a, b = (block_operand(x.codes, x.scales, x.fmt, scale, block) for x in (a, b))
    expected = by_accumulator(a, b)
    calls = []
    monkeypatch.setattr(module, "matmul", lambda *args, **named: calls.append(1) or matmul(*args, **named))
    got = dot_block(a, b)
    assert (got.view(np.uint32) == expected.view(np.uint32)).all()
    assert bool(calls) != fast


def test_a_blocks_sum_has_24_bits_or_the_fast_way_is_not_taken() -> None:
    e2m1, e4m3, e8m0, ue4m3 = (get(name) for name in ("e2m1", "e4m3", "e8m0", "ue4m3"))
    # 12 · 12 · 225 · block <= 2^24 up to block 517; without significands in the scales up to 116,508.
    assert exact_in_float32(e2m1, e2m1, ue4m3, 517)
    assert not exact_in_float32(e2m1, e2m1, ue4m3, 518)
    assert exact_in_float32(e2m1, e2m1, e8m0, 116_508)
    assert not exact_in_float32(e2m1, e2m1, e8m0, 116_509)
    assert not exact_in_float32(e4m3, e2m1, e8m0, 32)


@pytest.mark.parametrize(("code", "within"), [(78, True), (77, False), (175, True), (176, False)])
def test_magnitudes_from_2_to_the_minus_50_to_2_to_the_50_take_the_fast_way(code: int, within: bool) -> None:
    # 0.5 · 2^(78 − 127) = 2^-50 and 4 · 2^(175 − 127) = 2^50.
    elements = np.array([[1, 0] if code < 127 else [6, 0]], np.uint8)
    scales = np.array([[code]], np.uint8)
    assert block_operand(elements, scales, "e2m1", "e8m0", 32).within == within
    assert block_operand(np.zeros_like(elements), scales, "e2m1", "e8m0", 32).within


def test_cancelling_blocks_leave_plus_zero_and_the_largest_sums_saturate() -> None:
    # 6 · 6 − 6 · 6 in one block, then in two; and 36 · 2^254 · 32, beyond the largest finite number.
    codes = np.array([[7, 7, *[0] * 30, 7], [7, 15, *[0] * 30, 0], [7, 0, *[0] * 30, 15]], np.uint8)
    one = np.full((3, 2), 127, np.uint8)
    a, b = (block_operand(c, s, "e2m1", "e8m0", 32) for c, s in ((codes[:1], one[:1]), (codes[1:], one[1:])))
    assert dot_block(a, b).view(np.uint32).tolist() == [[0, 0]]
    big = block_operand(np.full((1, 32), 7, np.uint8), np.full((1, 1), 254, np.uint8), "e2m1", "e8m0", 32)
    assert dot_block(big, big)[0, 0] == np.finfo(np.float32).max


def test_a_flush_to_zero_mode_changes_nothing() -> None:
    rng = np.random.default_rng(7)
    sides = [operand(rng, 8, 64, "e2m1", "e8m0", 32, codes) for codes in ((0, 40), (100, 127))]
    fast = [operand(rng, 8, 64, "e2m1", "e8m0", 32, (80, 100)) for _ in range(2)]
    expected = [dot_block(*sides), dot_block(*fast)]
    if not torch.set_flush_denormal(True):
        raise RuntimeError("this processor has no flush-to-zero mode")
    try:
        assert block_operand(sides[0].codes, sides[0].scales, "e2m1", "e8m0", 32).within is False
        got = [dot_block(*sides), dot_block(*fast)]
    finally:
        torch.set_flush_denormal(False)
    assert all((x.view(np.uint32) == y.view(np.uint32)).all() for x, y in zip(got, expected, strict=True))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"fmt": "fp16"}, "fmt='fp16': expected a float or integer format of at most 8 bits"),
        ({"scale_fmt": "e4m3"}, "scale_fmt='e4m3': expected one of e8m0, ue4m3"),
        ({"block": 0}, "block=0: expected an integer from 1"),
        ({"codes": np.full((2, 40), 16, np.uint8)}, "codes holds 16: expected values from 0 to 15"),
        ({"scales": np.zeros((2, 1), np.uint8)}, r"scales.shape=\(2, 1\): expected \(2, 2\)"),
    ],
)
def test_illegal_operands_are_refused(changes: dict[str, object], message: str) -> None:
    fields = {
        "codes": np.zeros((2, 40), np.uint8),
        "scales": np.zeros((2, 2), np.uint8),
        "fmt": "e2m1",
        "scale_fmt": "e8m0",
        "block": 32,
    }
    with pytest.raises(ValueError, match=message):
        block_operand(**{**fields, **changes})  # type: ignore[arg-type]


def test_sides_that_do_not_fit_are_refused() -> None:
    rng = np.random.default_rng(8)
    a = operand(rng, 2, 32, "e2m1", "e8m0", 32, (120, 130))
    for b in (
        operand(rng, 2, 64, "e2m1", "e8m0", 32, (120, 130)),
        operand(rng, 2, 32, "e2m1", "e8m0", 16, (120, 130)),
        operand(rng, 2, 32, "e2m1", "ue4m3", 16, (1, 100)),
    ):
        with pytest.raises(ValueError, match="expected those of a, K=32, e8m0 per 32"):
            dot_block(a, b)
