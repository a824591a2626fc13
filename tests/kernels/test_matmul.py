"""The public matrix product: numpy's integers, named refusals."""

from __future__ import annotations

import numpy as np
import pytest

from fpsim.formats import Accumulator, Format, get
from fpsim.kernels.matmul import matmul
from tests.kernels.reference import units


def test_all_pairs_of_codes_in_quarters() -> None:
    codes = np.arange(16, dtype=np.uint8)[:, None]
    got = matmul(codes, codes, a_fmt="E2M1", b_fmt=get("int4"), acc=Accumulator.exact())
    np.testing.assert_array_equal(got, np.multiply.outer(units("e2m1"), units("int4")))
    assert got.dtype == np.int64


def test_the_accumulator_decides_the_overflow() -> None:
    a = np.full((1, 4), 7, np.uint8)
    b = np.array([[7, 7, 7, 15]], np.uint8)  # 144, 288, 432, 288 quarters
    sums = {
        overflow: int(matmul(a, b, a_fmt="e2m1", b_fmt="e2m1", acc=Accumulator.exact(9, overflow))[0, 0])
        for overflow in ("wrap", "saturate", "saturate-end")
    }
    assert sums == {"wrap": 288 - 512, "saturate": 255 - 144, "saturate-end": 255}


def test_a_format_of_ones_own() -> None:
    e2m0 = Format("e2m0", 2, 0, bias=0)  # 0, 2, 4, 8: steps of 2
    codes = np.arange(8, dtype=np.uint8)[:, None]
    got = matmul(codes, codes, a_fmt=e2m0, b_fmt=e2m0, acc=Accumulator.exact())
    levels = np.array([0, 1, 2, 4, 0, -1, -2, -4])
    np.testing.assert_array_equal(got, np.multiply.outer(levels, levels))


def test_bad_arguments_are_named() -> None:
    codes = np.full((1, 1), 8, np.uint8)
    with pytest.raises(ValueError, match="acc=32: expected an Accumulator"):
        matmul(codes, codes, a_fmt="e2m1", b_fmt="e2m1", acc=32)
    with pytest.raises(ValueError, match="codes holds 16: e2m1 has codes 0 to 15"):
        matmul(codes * 2, codes, a_fmt="e2m1", b_fmt="e2m1", acc=Accumulator.exact())
