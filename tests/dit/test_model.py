"""The transformer against the paper's formulas."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from fpsim.dit.model import DiT, DiTConfig, sincos_positions, timestep_code

TINY = DiTConfig(hidden=32, depth=2, heads=2)


def awake(config: DiTConfig = TINY, seed: int = 0) -> DiT:
    """A model with every weight random, so that no path is switched off by a zero."""
    torch.manual_seed(seed)
    model = DiT(config)
    with torch.no_grad():
        for weight in model.parameters():
            if weight.requires_grad:
                weight.normal_(std=0.2)
    return model.eval()


def inputs(batch: int = 3, seed: int = 1) -> tuple[Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn((batch, 1, 8, 8), generator=generator), torch.arange(batch) * 400, torch.arange(batch)


def test_parameter_count_is_that_of_the_layer_table() -> None:
    h, depth, patch_values, tokens = 96, 6, 4, 16

    def linear(k: int, n: int) -> int:
        return k * n + n

    block = linear(h, 3 * h) + linear(h, h) + linear(h, 4 * h) + linear(4 * h, h) + linear(h, 6 * h)
    expected = (
        linear(patch_values, h)
        + linear(256, h)
        + linear(h, h)
        + 11 * h
        + tokens * h
        + depth * block
        + linear(h, 2 * h)
        + linear(h, patch_values)
    )
    assert expected == 1_060_036
    assert sum(p.numel() for p in DiT().parameters()) == expected


def test_parameter_names_are_those_of_the_published_checkpoints() -> None:
    linears = ["t_embedder.mlp.0", "t_embedder.mlp.2", "final_layer.linear", "final_layer.adaLN_modulation.1"]
    for i in range(TINY.depth):
        suffixes = ("attn.qkv", "attn.proj", "mlp.fc1", "mlp.fc2", "adaLN_modulation.1")
        linears += [f"blocks.{i}.{s}" for s in suffixes]
    names = {f"{name}.{part}" for name in [*linears, "x_embedder.proj"] for part in ("weight", "bias")}
    assert set(DiT(TINY).state_dict()) == names | {"y_embedder.embedding_table.weight", "pos_embed"}


def test_positions_follow_the_formula_for_every_token_and_channel() -> None:
    width, grid = 16, 3
    table = sincos_positions(width, grid)
    n = width // 4
    for token in range(grid * grid):
        row, column = divmod(token, grid)
        for i in range(n):
            f = 10000 ** (-i / n)
            expected = [
                math.sin(column * f),
                math.cos(column * f),
                math.sin(row * f),
                math.cos(row * f),
            ]
            found = [table[token, part * n + i].item() for part in range(4)]
            assert found == pytest.approx(expected, abs=1e-7), (token, i)


def test_timestep_code_is_cosines_then_sines() -> None:
    code = timestep_code(torch.tensor([0, 1, 537]), 8)
    for row, t in enumerate((0, 1, 537)):
        angles = [t * 10000 ** (-i / 4) for i in range(4)]
        expected = [math.cos(a) for a in angles] + [math.sin(a) for a in angles]
        assert code[row].tolist() == pytest.approx(expected, abs=1e-4)


def test_fresh_blocks_are_the_identity_and_the_fresh_model_predicts_zero() -> None:
    torch.manual_seed(0)
    model = DiT(TINY)
    tokens, condition = torch.randn(2, 16, 32), torch.randn(2, 32)
    assert torch.equal(model.blocks[0](tokens, condition), tokens)
    x, t, labels = inputs()
    assert torch.equal(model(x, t, labels), torch.zeros_like(x))


def test_attention_is_softmax_of_scaled_scores() -> None:
    attention = awake().blocks[0].attn
    x = torch.randn((1, 5, 32), generator=torch.Generator().manual_seed(2))
    q, k, v = attention.qkv(x)[0].split(32, dim=1)
    heads = []
    for h in range(2):
        part = slice(16 * h, 16 * h + 16)
        scores = torch.exp(q[:, part] @ k[:, part].T / math.sqrt(16))
        heads.append(scores / scores.sum(dim=1, keepdim=True) @ v[:, part])
    expected = torch.cat(heads, dim=1) @ attention.proj.weight.T + attention.proj.bias
    torch.testing.assert_close(attention(x)[0], expected, rtol=1e-4, atol=1e-5)


def test_block_follows_the_adaln_zero_equations() -> None:
    block = awake().blocks[1]
    generator = torch.Generator().manual_seed(3)
    x, c = torch.randn((2, 4, 32), generator=generator), torch.randn((2, 32), generator=generator)
    linear = block.adaLN_modulation[1]
    parts = ((c * torch.sigmoid(c)) @ linear.weight.T + linear.bias)[:, None].split(32, dim=2)
    shift1, scale1, gate1, shift2, scale2, gate2 = parts

    def norm(z: Tensor) -> Tensor:
        centred = z - z.mean(dim=2, keepdim=True)
        return centred / torch.sqrt(centred.square().mean(dim=2, keepdim=True) + 1e-6)

    x1 = x + gate1 * block.attn(norm(x) * (1 + scale1) + shift1)
    inner = block.mlp.fc1(norm(x1) * (1 + scale2) + shift2)
    gelu = 0.5 * inner * (1 + torch.tanh(math.sqrt(2 / math.pi) * (inner + 0.044715 * inner**3)))
    torch.testing.assert_close(block(x, c), x1 + gate2 * block.mlp.fc2(gelu), rtol=1e-4, atol=1e-4)


def test_unpatchify_undoes_the_patch_order() -> None:
    model = DiT(TINY)
    image = torch.arange(64.0).reshape(1, 1, 8, 8)
    patches = [image[0, 0, r : r + 2, c : c + 2].flatten() for r in range(0, 8, 2) for c in range(0, 8, 2)]
    assert torch.equal(model._unpatchify(torch.stack(patches)[None]), image)


def test_every_input_matters() -> None:
    model = awake()
    x, t, labels = inputs()
    base = model(x, t, labels)
    for changed in ((x + 0.1, t, labels), (x, t + 7, labels), (x, t, labels + 1)):
        assert (model(*changed) - base).abs().amax(dim=(1, 2, 3)).min() > 1e-4


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"hidden": 0}, "hidden=0"),
        ({"hidden": 90}, "hidden=90"),
        ({"heads": 5}, "heads=5"),
        ({"patch": 3}, "patch=3"),
        ({"depth": 2.0}, "depth=2.0"),
        ({"classes": True}, "classes=True"),
    ],
)
def test_illegal_configuration_is_named(arguments: dict[str, int], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        DiTConfig(**arguments)


def test_wrong_shapes_are_named() -> None:
    model = DiT(TINY)
    x, t, labels = inputs()
    with pytest.raises(ValueError, match=r"x: shape \(3, 1, 8, 4\), expected \(B, 1, 8, 8\)"):
        model(x[..., :4], t, labels)
    with pytest.raises(ValueError, match=r"t, labels: shapes \(2,\), \(3,\)"):
        model(x, t[:2], labels)
