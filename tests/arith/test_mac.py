"""One accumulation step against numpy's fixed-width integers."""

from __future__ import annotations

import numpy as np
import pytest

from fpsim.arith.mac import mac, wrap

from .tables import wrapped


@pytest.mark.parametrize(("bits", "dtype"), [(8, np.int8), (16, np.int16), (32, np.int32)])
def test_wrap_is_the_cast_of_numpy(bits: int, dtype: type[np.signedinteger]) -> None:
    rng = np.random.default_rng(20)
    values = np.concatenate([rng.integers(-(1 << 40), 1 << 40, 2000), np.arange(-600, 600)])
    assert [wrap(int(v), bits) for v in values] == values.astype(dtype).tolist()


def test_every_small_register_and_product() -> None:
    cases = 0
    for bits in range(2, 8):
        half = 1 << (bits - 1)
        accs = np.arange(-half, half)
        for product in range(-3 * half, 3 * half + 1):
            expected = wrapped(accs + product, bits).tolist()
            assert [mac(int(a), product, first=False, acc_bits=bits) for a in accs] == expected
            cases += len(accs)
    assert cases == sum((1 << b) * (3 * (1 << b) + 1) for b in range(2, 8))


def test_the_first_beat_forgets_the_register() -> None:
    assert mac(77, -144, first=True, acc_bits=26) == -144
    assert mac(77, -144, first=False, acc_bits=26) == -67


def test_the_top_of_the_register_wraps_to_the_bottom() -> None:
    assert mac((1 << 25) - 1, 1, first=False, acc_bits=26) == -(1 << 25)


def test_a_lighter_pass_takes_the_register_sixteen_times() -> None:
    """In a register of numpy's width, where 16 * acc wraps too."""
    rng = np.random.default_rng(21)
    accs, products = rng.integers(-(1 << 15), 1 << 15, 3000), rng.integers(-4096, 4097, 3000)
    expected = (accs * 16 + products).astype(np.int16).tolist()
    got = [
        mac(int(a), int(p), first=False, shift=True, acc_bits=16) for a, p in zip(accs, products, strict=True)
    ]
    assert got == expected
    assert mac(77, 5, first=True, shift=True, acc_bits=16) == 5


def test_a_saturating_register_clamps_every_small_sum() -> None:
    """Against numpy.clip of the exact sum; products wider than the register among them."""
    cases = 0
    for bits in range(2, 8):
        half = 1 << (bits - 1)
        accs = np.arange(-half, half)
        for product in range(-3 * half, 3 * half + 1):
            expected = np.clip(accs + product, -half, half - 1).tolist()
            got = [mac(int(a), product, first=False, acc_bits=bits, overflow="saturate") for a in accs]
            assert got == expected
            assert mac(1, product, first=True, acc_bits=bits, overflow="saturate") == np.clip(
                product, -half, half - 1
            )
            cases += len(accs)
    assert cases == sum((1 << b) * (3 * (1 << b) + 1) for b in range(2, 8))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"overflow": "saturate-end"}, "overflow='saturate-end': expected 'wrap' or 'saturate'"),
        ({"overflow": "saturate", "shift": True}, "shift=True: a saturating register takes one pass"),
    ],
)
def test_rules_without_a_law_are_refused(options: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        mac(0, 0, first=False, acc_bits=8, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("acc", "acc_bits", "message"),
    [
        (0, 1, "acc_bits=1: expected an integer from 2 to 63"),
        (0, 64, "acc_bits=64: expected an integer from 2 to 63"),
        (128, 8, "acc=128: expected an integer from -128 to 127"),
        (-129, 8, "acc=-129: expected an integer from -128 to 127"),
        (True, 8, "acc=True: expected an integer"),
    ],
)
def test_other_arguments_are_refused(acc: int, acc_bits: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        mac(acc, 0, first=False, acc_bits=acc_bits)
