"""The generated package of a row's optional units: fresh, and its constants against other sources."""

from __future__ import annotations

import re

import ml_dtypes
import numpy as np
import pytest

from fpsim.kernels.hadamard import hadamard
from fpsim.verify.sv_row_package import QUANTIZER_FORMATS, RESULT_FORMATS, ROW_PACKAGE_PATH, render

TEXT = ROW_PACKAGE_PATH.read_text(encoding="utf-8")


def constant(name: str) -> int:
    """The number of a localparam."""
    match = re.search(rf"\b{name} =\s+\d+'([dh])([0-9A-F]+);", TEXT)
    assert match, f"no localparam {name}"
    return int(match[2], {"d": 10, "h": 16}[match[1]])


def test_committed_package_is_fresh() -> None:
    assert render() == TEXT, "run: python -m fpsim.verify.sv_row_package"


def test_selectors_are_places_in_the_lists() -> None:
    assert [constant(f"QUANT_{name.upper()}") for name in QUANTIZER_FORMATS] == list(range(6))
    assert [constant(f"RESULT_{name.upper()}") for name in RESULT_FORMATS] == list(range(3))


def test_largest_results_are_those_of_numpy_and_ml_dtypes() -> None:
    assert constant("MAX_FP16") == np.finfo(np.float16).max.view(np.uint16)
    assert constant("MAX_FP32") == np.finfo(np.float32).max.view(np.uint32)
    assert constant("MAX_BF16") == ml_dtypes.finfo(ml_dtypes.bfloat16).max.view(np.uint16)


@pytest.mark.parametrize("n", [12, 36])
def test_signs_are_those_of_the_kernels_matrix(n: int) -> None:
    """The kernel makes its matrix apart from the law, from which the package is made."""
    bits = constant(f"H{n}_MINUS")
    matrix = np.array([[1 - 2 * (bits >> (n * i + j) & 1) for j in range(n)] for i in range(n)])
    np.testing.assert_array_equal(matrix @ matrix.T, n * np.eye(n, dtype=int))
    columns = hadamard(np.eye(n, dtype=np.int32))  # row j: H times unit vector j
    np.testing.assert_array_equal(columns.T, matrix)
