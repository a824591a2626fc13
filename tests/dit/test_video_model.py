"""The video transformer against STDiT's equations and what they let a token see."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn

from fpsim.dit.diffusion import ddim_sample
from fpsim.dit.domains import TrainSettings
from fpsim.dit.training import train_dit
from fpsim.dit.video_model import CrossAttention, VideoDiT, VideoDiTConfig

TINY = VideoDiTConfig(hidden=32, depth=2, heads=2, image=8, frames=3)


def awake(config: VideoDiTConfig = TINY, seed: int = 0) -> VideoDiT:
    """A model with every weight random, so that no path is switched off by a zero."""
    torch.manual_seed(seed)
    model = VideoDiT(config)
    with torch.no_grad():
        for weight in model.parameters():
            if weight.requires_grad:
                weight.normal_(std=0.2)
    return model.eval()


def inputs(batch: int = 2, seed: int = 1) -> tuple[Tensor, Tensor, Tensor]:
    x = torch.randn((batch, 3, 8, 8), generator=torch.Generator().manual_seed(seed))
    return x, torch.arange(batch) * 400, torch.tensor([[1, 5], [10, 9]])[:batch]


def silence(model: VideoDiT, *attentions: str) -> VideoDiT:
    """Make attentions add nothing in every block."""
    for block in model.blocks:
        for name in attentions:
            projection = block.get_submodule(f"{name}.proj")
            assert isinstance(projection, nn.Linear)
            nn.init.zeros_(projection.weight)
            nn.init.zeros_(projection.bias)
    return model


def reach(model: VideoDiT, frame: int, row: int, column: int) -> set[tuple[int, int, int]]:
    """The (frame, patch row, patch column) of the output that one input pixel changes."""
    x, t, condition = inputs(1)
    changed = x.clone()
    changed[0, frame, row, column] += 1
    difference = (model(changed, t, condition) - model(x, t, condition))[0].abs() > 1e-6
    return {(f, r // 4, c // 4) for f, r, c in difference.nonzero().tolist()}


def test_parameter_count_is_that_of_the_layer_table() -> None:
    h, depth, patch_values = 96, 4, 16

    def linear(k: int, n: int) -> int:
        return k * n + n

    attention = linear(h, 3 * h) + linear(h, h)
    cross = linear(h, h) + linear(h, 2 * h) + linear(h, h)
    block = 2 * attention + cross + linear(h, 4 * h) + linear(4 * h, h) + 6 * h
    expected = (
        linear(patch_values, h)
        + linear(256, h)
        + linear(h, h)
        + linear(h, 6 * h)
        + (11 * 4 + 10) * h
        + (9 + 3) * h
        + depth * block
        + linear(h, 2 * h)
        + linear(h, patch_values)
    )
    assert expected == 864_112
    assert sum(p.numel() for p in VideoDiT().parameters()) == expected


def test_thirty_six_linears_are_named_in_the_order_in_which_they_run() -> None:
    model = VideoDiT()
    called: list[str] = []
    for name in model.linear_names():
        module = model.get_submodule(name)
        assert isinstance(module, nn.Linear)
        assert module.in_features % 32 == 0
        module.register_forward_pre_hook(lambda _m, _x, name=name: called.append(name))
    model(torch.zeros(1, 3, 12, 12), torch.tensor([3]), torch.tensor([[0, 0]]))
    assert tuple(called) == model.linear_names()
    assert len(called) == 36
    inside = {n for n, m in model.blocks.named_modules(prefix="blocks") if isinstance(m, nn.Linear)}
    assert set(called) == inside


def test_block_follows_the_equations_of_stdit() -> None:
    """Only spatial attention and FFN read a norm, only cross-attention has no gate."""
    block = awake().blocks[1]
    generator = torch.Generator().manual_seed(3)
    x = torch.randn((2, 3, 4, 32), generator=generator)
    modulation = torch.randn((2, 6, 32), generator=generator)
    context = torch.randn((2, 2, 32), generator=generator)
    shift1, scale1, gate1, shift2, scale2, gate2 = (
        modulation[:, i, None, None] + block.scale_shift_table[i] for i in range(6)
    )

    def norm(z: Tensor) -> Tensor:
        centred = z - z.mean(dim=-1, keepdim=True)
        return centred / torch.sqrt(centred.square().mean(dim=-1, keepdim=True) + 1e-6)

    expected = x.clone()
    space = norm(x) * (1 + scale1) + shift1
    for frame in range(3):
        expected[:, frame] += gate1[:, 0] * block.attn(space[:, frame])
    bare = expected.clone()
    for place in range(4):
        expected[:, :, place] += gate1[:, 0] * block.attn_temp(bare[:, :, place])
    expected = expected + block.cross_attn(expected.flatten(1, 2), context).unflatten(1, (3, 4))
    inner = block.mlp.fc1(norm(expected) * (1 + scale2) + shift2)
    gelu = 0.5 * inner * (1 + torch.tanh(math.sqrt(2 / math.pi) * (inner + 0.044715 * inner**3)))
    expected = expected + gate2 * block.mlp.fc2(gelu)
    torch.testing.assert_close(block(x, modulation, context), expected, rtol=1e-4, atol=1e-4)


def test_cross_attention_is_that_of_torch() -> None:
    torch.manual_seed(4)
    own = CrossAttention(32, 4)
    theirs = nn.MultiheadAttention(32, 4, batch_first=True)
    with torch.no_grad():
        theirs.in_proj_weight.copy_(torch.cat([own.q.weight, own.kv.weight]))
        assert theirs.in_proj_bias is not None
        theirs.in_proj_bias.copy_(torch.cat([own.q.bias, own.kv.bias]))
        theirs.out_proj.load_state_dict(own.proj.state_dict())
    x, context = torch.randn(3, 6, 32), torch.randn(3, 2, 32)
    expected, _ = theirs(x, context, context)
    torch.testing.assert_close(own(x, context), expected)


class TestReach:
    """Which tokens a pixel of frame 1, patch (0, 1), can reach through which attention."""

    PIXEL = (1, 2, 6)

    def test_without_attention_its_own_patch(self) -> None:
        assert reach(silence(awake(), "attn", "attn_temp"), *self.PIXEL) == {(1, 0, 1)}

    def test_by_spatial_attention_its_frame(self) -> None:
        found = reach(silence(awake(), "attn_temp"), *self.PIXEL)
        assert found == {(1, row, column) for row in range(2) for column in range(2)}

    def test_by_temporal_attention_its_place_in_every_frame(self) -> None:
        assert reach(silence(awake(), "attn"), *self.PIXEL) == {(frame, 0, 1) for frame in range(3)}

    def test_by_both_everything(self) -> None:
        assert len(reach(awake(), *self.PIXEL)) == 3 * 2 * 2


def test_the_class_comes_through_cross_attention_alone_and_the_motion_past_it() -> None:
    x, t, condition = inputs()
    other_class, other_motion = (condition * torch.tensor(keep) for keep in ([0, 1], [1, 0]))
    silent = silence(awake(), "cross_attn")
    for other in (other_class, other_motion):
        difference = (awake()(x, t, other) - awake()(x, t, condition)).abs()
        assert difference.amax(dim=(1, 2, 3)).min() > 1e-4
    assert torch.equal(silent(x, t, other_class), silent(x, t, condition))
    assert (silent(x, t, other_motion) - silent(x, t, condition)).abs().amax(dim=(1, 2, 3)).min() > 1e-4
    assert (awake()(x, t + 7, condition) - awake()(x, t, condition)).abs().max() > 1e-4


def test_queries_tell_the_condition_tokens_apart() -> None:
    """With one token a softmax over it would be 1, and neither q nor k would count."""
    x, t, condition = inputs()
    for weight in ("q.weight", "kv.weight"):
        model = awake()
        for block in model.blocks:
            part = block.cross_attn.get_parameter(weight)
            with torch.no_grad():
                part[:32] = 0  # of q all, of kv the keys
        assert (model(x, t, condition) - awake()(x, t, condition)).abs().max() > 1e-4


def test_frames_and_places_are_told_apart() -> None:
    """Equal frames of equal patches come out different: both positions enter."""
    model = awake()
    patches = model(torch.ones(1, 3, 8, 8), torch.tensor([5]), torch.tensor([[1, 2]]))[0]
    tokens = patches.unfold(1, 4, 4).unfold(2, 4, 4).reshape(12, 16)
    assert torch.cdist(tokens, tokens).add(torch.eye(12)).min() > 1e-3


def test_unpatchify_undoes_the_patch_order() -> None:
    video = torch.arange(3 * 64.0).reshape(1, 3, 8, 8)
    patches = [frame[r : r + 4, c : c + 4].flatten() for frame in video[0] for r in (0, 4) for c in (0, 4)]
    assert torch.equal(VideoDiT(TINY)._unpatchify(torch.stack(patches)[None]), video)


def test_a_fresh_model_predicts_zero_and_learns_in_every_weight() -> None:
    x, t, condition = inputs()
    torch.manual_seed(0)
    model = VideoDiT(TINY)
    assert torch.equal(model(x, t, condition), torch.zeros_like(x))
    conditions = torch.cat([condition, condition.flip(0)])
    settings = TrainSettings(steps=6, batch=4, warmup=1, ema=0.0, lr=1e-2, label_dropout=0.0)
    trained = train_dit(
        torch.cat([x, -x]), conditions, lambda: VideoDiT(TINY), (10, 9), settings, lambda *p: None
    )
    torch.manual_seed(settings.seed)
    for name, start in VideoDiT(TINY).state_dict().items():
        assert torch.equal(trained.state[name], start) == name.startswith("pos_embed"), name


def test_the_sampler_runs_it_as_it_runs_a_dit() -> None:
    x, _, condition = inputs()
    model = awake()
    plain = ddim_sample(model, x, condition, steps=3)
    assert plain.shape == x.shape
    guided = ddim_sample(model, x, condition, steps=3, cfg_scale=1.5, null_label=(10, 9))
    moved = (guided - plain).abs().amax(dim=(1, 2, 3))
    assert moved[0] > 0.1
    assert moved[1] < 1e-3  # its condition is the null one already


def test_refusals_name_the_argument() -> None:
    x, t, condition = inputs()
    model = VideoDiT(TINY)
    with pytest.raises(ValueError, match=r"x: shape \(2, 2, 8, 8\), expected \(B, 3, 8, 8\)"):
        model(x[:, :2], t, condition)
    with pytest.raises(ValueError, match=r"t, condition: shapes \(2,\), \(2,\), expected \(2,\), \(2, 2\)"):
        model(x, t, condition[:, 0])
    with pytest.raises(ValueError, match=r"t, condition: shapes \(1,\)"):
        model(x, t[:1], condition)
    for arguments, named in (
        ({"frames": 0}, "frames=0"),
        ({"motions": True}, "motions=True"),
        ({"condition_tokens": 0}, "condition_tokens=0"),
        ({"channels": 3}, "channels=3: expected 1"),
        ({"patch": 5}, "patch=5"),
        ({"hidden": 30}, "hidden=30"),
    ):
        with pytest.raises(ValueError, match=named):
            VideoDiTConfig(**arguments)
