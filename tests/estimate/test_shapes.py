"""Shapes of the DiTs against published totals."""

import pytest

from fpsim.estimate.shapes import Layer, digits, dit

# size, patch, image: tokens, linear GMAC, attention GMAC, adaLN MMAC, total GMAC, M parameters. Computed
# apart from this code from facebookresearch/DiT, models.py (ed81ce2); the repository prints 119 and 525
# Gflops (MACs) for XL/2 at 256 and 512 px, and 675 M parameters.
TABLE = {
    ("S", 2, 256): (256, 5.436, 0.604, 10.6, 6.056, 32.87),
    ("S", 4, 256): (64, 1.359, 0.038, 10.6, 1.413, 32.92),
    ("S", 8, 256): (16, 0.340, 0.002, 10.6, 0.358, 33.14),
    ("B", 2, 256): (256, 21.743, 1.208, 42.5, 23.005, 130.32),
    ("B", 4, 256): (64, 5.436, 0.075, 42.5, 5.565, 130.43),
    ("L", 2, 256): (256, 77.309, 3.221, 151.0, 80.698, 457.84),
    ("L", 4, 256): (64, 19.327, 0.201, 151.0, 19.696, 457.99),
    ("XL", 2, 256): (256, 114.152, 4.228, 223.0, 118.621, 674.83),
    ("XL", 2, 512): (1024, 456.609, 67.646, 223.0, 524.538, 674.83),
    ("XL", 4, 256): (64, 28.538, 0.264, 223.0, 29.044, 675.00),
    ("XL", 8, 256): (16, 7.135, 0.017, 223.0, 7.392, 675.66),
}


@pytest.mark.parametrize("key", TABLE, ids=lambda key: f"{key[0]}-{key[1]}-{key[2]}")
def test_totals_of_the_papers_models(key: tuple[str, int, int]) -> None:
    tokens, linear, attention, modulation, macs, parameters = TABLE[key]
    shape = dit(*key)
    assert shape.tokens == tokens
    assert shape.macs("linear") / 1e9 == pytest.approx(linear, abs=5e-4)
    assert shape.macs("attention") / 1e9 == pytest.approx(attention, abs=6e-4)
    assert shape.macs("modulation") / 1e6 == pytest.approx(modulation, abs=0.06)
    assert shape.macs() / 1e9 == pytest.approx(macs, abs=6e-4)
    assert shape.parameters / 1e6 == pytest.approx(parameters, abs=6e-3)


def test_the_accelerator_runs_the_block_linears() -> None:
    names = [layer.name for layer in dit("XL", 2, 256).layers if layer.on_accelerator]
    assert names == ["attn.qkv", "attn.proj", "mlp.fc1", "mlp.fc2"]


def test_digits_by_hand() -> None:
    shape = digits()
    assert (shape.tokens, shape.hidden, shape.depth) == (16, 96, 6)
    # Twelve 96 x 96 matrices in a block (3 + 1 + 4 + 4), 16 tokens, 6 blocks.
    assert shape.macs("linear") == 16 * 12 * 96 * 96 * 6
    # QK^T and PV: 16 x 16 x 96 each (32 channels in each of 3 heads).
    assert shape.macs("attention") == 2 * 16 * 16 * 96 * 6


def test_digits_is_the_model_that_is_trained() -> None:
    from fpsim.dit.model import DiT, DiTConfig

    shape, config = digits(), DiTConfig()
    assert (shape.hidden, shape.depth, shape.heads) == (config.hidden, config.depth, config.heads)
    assert (shape.tokens, shape.patch_in) == (config.tokens, config.patch_values)
    assert shape.parameters == sum(p.numel() for p in DiT(config).parameters() if p.requires_grad)


def test_bad_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match="size='XS'"):
        dit("XS", 2, 256)
    with pytest.raises(ValueError, match="image=250"):
        dit("S", 2, 250)
    with pytest.raises(ValueError, match="n=0"):
        Layer("fc", 1, 0, 1)
