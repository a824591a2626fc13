"""The generated package: fresh, and its tables read back as what fpsim.formats says."""

from __future__ import annotations

import re
from fractions import Fraction

import pytest

from fpsim.array.config import OPERAND_FORMATS, ArrayConfig, UnitConfig
from fpsim.formats import get
from fpsim.verify.sv_package import PACKAGE_PATH, render

TEXT = PACKAGE_PATH.read_text()


def constant(name: str, text: str = TEXT) -> list[int]:
    """The numbers of a localparam, a table's in the order of its indices (the last written first)."""
    match = re.search(rf"localparam [^=;]*\b{name} = ([^;]+);", text)
    assert match, f"no localparam {name}"
    numbers = []
    for literal in match[1].strip("{}").split(","):
        digits = re.fullmatch(r"(?:\d+'([bdh]))?([0-9A-Fa-f]+)", literal.strip())
        assert digits, f"{name}: {literal!r} is not a number"
        numbers.append(int(digits[2], {"b": 2, "d": 10, "h": 16, None: 10}[digits[1]]))
    return numbers[::-1]


def test_committed_package_is_fresh() -> None:
    assert render(ArrayConfig()) == TEXT, "run: python -m fpsim.verify.sv_package"


@pytest.mark.parametrize("name", OPERAND_FORMATS)
def test_levels_are_the_values_of_the_codes_0_to_7(name: str) -> None:
    operand = get(name)
    assert [level * operand.step for level in constant(f"LEVELS_{name.upper()}")] == [
        operand.value(code) for code in range(8)
    ]


@pytest.mark.parametrize(
    ("name", "levels"),
    # rtl/README.md, "Operand codes".
    [
        ("e2m1", [0, 1, 2, 3, 4, 6, 8, 12]),
        ("e3m0", [0, 1, 2, 4, 8, 16, 32, 64]),
        ("e1m2", [0, 1, 2, 3, 4, 5, 6, 7]),
        ("int4", [0, 1, 2, 3, 4, 5, 6, 7]),
    ],
)
def test_levels_are_those_of_the_contract(name: str, levels: list[int]) -> None:
    assert constant(f"LEVELS_{name.upper()}") == levels


@pytest.mark.parametrize("name", OPERAND_FORMATS)
def test_a_tie_goes_up_to_even_codes_and_for_e3m0_from_the_second_level_on(name: str) -> None:
    (mask,) = constant(f"TIE_UP_{name.upper()}")
    for lower in range(7):
        to_even = (lower + 1) % 2 == 0
        assert bool(mask >> lower & 1) == (lower >= 1 if name == "e3m0" else to_even)


@pytest.mark.parametrize("name", OPERAND_FORMATS)
def test_masks_cover_every_decoded_code_and_no_more(name: str) -> None:
    """value = sig * 2^shift with the largest sig that the mask admits, as the contract decodes."""
    selector = OPERAND_FORMATS.index(name)
    assert constant(f"FMT_{name.upper()}") == [selector]
    operand = get(name)
    significands = shifts = 0
    for code in range(operand.n_codes):
        value = operand.value(code)
        assert isinstance(value, Fraction)
        units = int(abs(value) / operand.step)
        shift = 0
        if name in ("e2m1", "e3m0"):
            shift = max(operand.fields(code)[1] - 1, 0)
        significands |= units >> shift
        shifts |= shift
    significands = (1 << significands.bit_length()) - 1
    shifts = (1 << shifts.bit_length()) - 1
    assert constant("SIG_BITS")[selector] == significands
    assert constant("SHIFT_BITS")[selector] == shifts


def test_product_holds_the_product_of_the_largest_magnitudes() -> None:
    largest = [constant(f"LARGEST_{name.upper()}")[0] for name in OPERAND_FORMATS]
    assert largest == [12, 64, 7, 8]
    assert constant("PRODUCT_W") == [1 + (max(largest) ** 2).bit_length()]


def test_floating_accumulators_have_the_numbers_of_the_contract() -> None:
    """rtl/README.md, "mac_float"."""
    names = {
        "ROUND": ("RNE", "RNA", "RTZ", "RUP", "RDN", "STOCHASTIC"),
        "OVERFLOW": ("IEEE", "INF", "SATURATE"),
        "SPECIALS": ("NONE", "NAN", "IEEE"),
    }
    for prefix, words in names.items():
        assert [constant(f"{prefix}_{word}") for word in words] == [[i] for i in range(len(words))]
    assert constant("UNIT_EXP_W") == [8]
    assert (constant("E8M0_W"), constant("E8M0_BIAS")) == ([8], [127])


def test_floating_point_fields_are_those_of_the_formats() -> None:
    for name in ("fp16", "tf32", "fp32", "ue4m3"):
        spec = get(name)
        found = [constant(f"{name.upper()}_{field}")[0] for field in ("W", "EXP_W", "MAN_W", "BIAS")]
        assert found == [spec.bits, spec.exp_bits, spec.man_bits, spec.bias]
    (largest,) = constant("FP16_MAX")
    assert get("fp16").value(largest) == 65504
    assert get("fp16").has_inf
    assert largest + 1 == 0x7C00


def test_defaults_follow_the_configuration() -> None:
    text = render(ArrayConfig(rows=3, cols=5, unit=UnitConfig(("e2m1",), 20, 2, 8)))
    names = ("ROWS", "COLS", "FORMATS", "ACC_W", "GUARD_BITS", "HADAMARD_N")
    assert [constant(name, text)[0] for name in names] == [3, 5, 1, 20, 2, 8]
