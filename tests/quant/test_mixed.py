"""Mixed precision: sensitivities of one layer and range, budgets that are met, counts as published."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from fpsim.array.config import ArrayConfig
from fpsim.array.program import LayerProgram
from fpsim.dit.diffusion import ddim_sample, ddim_timesteps
from fpsim.dit.hooks import block_linears, layer_group
from fpsim.dit.metrics import load_metric
from fpsim.dit.model import DiT, DiTConfig
from fpsim.dit.video_model import VideoDiT, VideoDiTConfig
from fpsim.quant.calibration import Calibration, observe_model
from fpsim.quant.execute import on_machine
from fpsim.quant.mixed import MIXED_RECIPES, ViDiTQMixed, domain_of
from fpsim.quant.mixed_assignment import Assignment, Budget, LayerSize, layer_sizes, spending
from fpsim.quant.mixed_plan import plan, released
from fpsim.quant.recipes import RECIPES
from fpsim.quant.sensitivity import Sensitivity, Switched, Trials, equal_ranges, measure_sensitivity
from fpsim.quant.sensitivity_file import read_changes
from fpsim.quant.sensitivity_quality import image_changes, measure_of
from fpsim.quant.sensitivity_sampler import trajectory
from fpsim.quant.viditq_layer import Width

CONFIG = ArrayConfig()
NOISE = torch.randn(6, 1, 8, 8, generator=torch.Generator().manual_seed(3))
LABELS = torch.arange(6)
W48, W88 = Width(4, 8), Width(8, 8)
RANGES = equal_ranges(4, 2)


@pytest.fixture(scope="module")
def model() -> DiT:
    torch.manual_seed(6)
    dit = DiT(DiTConfig(hidden=96, depth=1, heads=3))
    with torch.no_grad():
        for parameter in dit.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.05)
    return dit.eval().requires_grad_(False)


@pytest.fixture(scope="module")
def calibration(model: DiT) -> Calibration:
    return observe_model(model, NOISE, LABELS, steps=4)


@pytest.fixture(scope="module")
def trials(model: DiT) -> Trials:
    return Trials.of(model, NOISE, LABELS, image_changes(load_metric()), steps=4)


def noisy(scale: float, linear: torch.nn.Linear):  # type: ignore[no-untyped-def]
    """The linear with an error of its own that grows with `scale`."""
    weight = linear.weight + scale * torch.sin(torch.arange(linear.weight.numel())).reshape(
        linear.weight.shape
    )
    return lambda x: torch.nn.functional.linear(x, weight, linear.bias)


def functions(model: DiT):  # type: ignore[no-untyped-def]
    linears = block_linears(model)
    return {
        width: {name: noisy(scale, linear) for name, linear in linears.items()}
        for width, scale in ((W48, 0.02), (W88, 0.001))
    }


def synthetic(layers: tuple[str, ...], seed: int = 0) -> Sensitivity:
    """Sensitivities that differ by measure, four samples."""
    rng = np.random.default_rng(seed)
    narrow = {
        m: rng.exponential(size=(len(layers), 4, 1, 4)) for m in ("mse", "appearance", "content", "motion")
    }
    changes = {m: np.concatenate([values, values / 100], axis=2) for m, values in narrow.items()}
    return Sensitivity(layers, equal_ranges(20), (W48, W88), changes)  # type: ignore[arg-type]


def stdit() -> dict[str, LayerSize]:
    """Open-Sora's STDiT at 16x512x512 (28 blocks, hidden 1152): 16 · 1024 tokens, 120 of the text."""
    h, tokens, text = 1152, 16 * 1024, 120
    sizes = {}
    for i in range(28):
        for attention in ("attn", "attn_temp"):
            for part in ("q", "k", "v", "proj"):
                sizes[f"blocks.{i}.{attention}.{part}"] = LayerSize(h * h, h * h * tokens)
        sizes[f"blocks.{i}.cross_attn.q"] = LayerSize(h * h, h * h * tokens)
        sizes[f"blocks.{i}.cross_attn.kv"] = LayerSize(2 * h * h, 2 * h * h * text)
        sizes[f"blocks.{i}.cross_attn.proj"] = LayerSize(h * h, h * h * tokens)
        for part in ("fc1", "fc2"):
            sizes[f"blocks.{i}.mlp.{part}"] = LayerSize(4 * h * h, 4 * h * h * tokens)
    return sizes


def test_twenty_steps_fall_into_the_four_ranges_of_the_paper() -> None:
    assert [(19 - part[0], 19 - part[-1]) for part in equal_ranges(20)] == [
        (19, 15),
        (14, 10),
        (9, 5),
        (4, 0),
    ]
    with pytest.raises(ValueError, match="count=5: expected 1 to 4, the steps"):
        equal_ranges(4, 5)


def test_a_run_taken_up_again_is_the_run(model: DiT) -> None:
    timesteps = ddim_timesteps(4)
    states = trajectory(model, NOISE, LABELS, timesteps)
    assert torch.equal(states[-1], ddim_sample(model, NOISE, LABELS, steps=4))
    for first in range(5):
        again = trajectory(model, states[first], LABELS, timesteps, first)
        assert len(again) == 5 - first
        assert torch.equal(again[-1], states[-1])


def test_layers_are_replaced_at_their_timesteps_and_then_no_more(model: DiT) -> None:
    switched = Switched(model)
    name = "blocks.0.mlp.fc1"
    wrong = noisy(0.1, block_linears(model)[name])

    def at(t: int) -> bool:
        step = torch.full((6,), t)
        with torch.inference_mode():
            return torch.equal(switched(NOISE, step, LABELS), model(NOISE, step, LABELS))

    assert at(999)
    with switched.replaced({999: {name: wrong}}):
        assert not at(999)
        assert at(500)
    assert at(999)


def test_a_sensitivity_is_the_change_when_one_layer_is_replaced_in_one_range(
    model: DiT, trials: Trials
) -> None:
    """Against whole runs of the sampler with the layer replaced by hand."""
    tried = functions(model)
    found = measure_sensitivity(trials, tried, RANGES)
    assert found.changes["mse"].shape == (4, 2, 2, 6)
    timesteps, reference = ddim_timesteps(4), ddim_sample(model, NOISE, LABELS, steps=4)
    switched = Switched(model)
    for layer, name in enumerate(found.layers):
        for r, steps in enumerate(RANGES):
            by_timestep = {timesteps[step]: {name: tried[W48][name]} for step in steps}
            with switched.replaced(by_timestep):
                samples = ddim_sample(switched, NOISE, LABELS, steps=4)
            expected = (samples.double() - reference.double()).square().mean(dim=(1, 2, 3))
            assert found.changes["mse"][layer, r, 0] == pytest.approx(expected.numpy(), rel=1e-9)
    assert (found.mean("mse")[..., 0] > found.mean("mse")[..., 1]).all()
    values = found.changes["appearance"][1, 0, 0]
    assert found.standard_error("appearance")[1, 0, 0] == pytest.approx(values.std(ddof=1) / 6**0.5)


def test_fewer_widths_are_a_part_of_what_was_measured() -> None:
    s = synthetic(("blocks.0.attn.qkv", "blocks.0.mlp.fc1"))
    turned = s.among((W88, W48))
    assert turned.widths == (W88, W48)
    assert (turned.changes["motion"] == s.changes["motion"][:, :, ::-1]).all()
    assert s.among((W88,)).mean("mse").shape == (2, 4, 1)
    with pytest.raises(ValueError, match="widths: w4a4, expected some of w4a8, w8a8"):
        s.among((W88, Width(4, 4)))


def test_sensitivities_are_kept_in_a_file(model: DiT, trials: Trials, tmp_path: Path) -> None:
    tried, store = functions(model), tmp_path / "sub" / "s.npz"
    seen: list[tuple[int, int]] = []
    first = measure_sensitivity(
        trials, tried, RANGES, store=store, key="k", progress=lambda *at: seen.append(at)
    )
    assert seen == [(i + 1, 16) for i in range(16)]

    def never(x: torch.Tensor) -> torch.Tensor:
        raise AssertionError("measured again")

    nothing = {width: dict.fromkeys(layers, never) for width, layers in tried.items()}
    seen.clear()
    again = measure_sensitivity(
        trials, nothing, RANGES, store=store, key="k", progress=lambda *at: seen.append(at)
    )
    assert seen == [(4, 16), (8, 16), (12, 16), (16, 16)]
    assert all((again.changes[m] == first.changes[m]).all() for m in first.changes)
    assert read_changes(store, "another") == {}
    store.write_bytes(store.read_bytes()[:200])
    assert read_changes(store, "k") == {}
    assert read_changes(tmp_path / "none.npz", "k") == {}


def test_a_run_that_was_cut_off_goes_on(model: DiT, trials: Trials, tmp_path: Path) -> None:
    tried, store = functions(model), tmp_path / "s.npz"

    def stop(done: int, _: int) -> None:
        if done == 10:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        measure_sensitivity(trials, tried, RANGES, store=store, key="k", progress=stop)
    assert list(read_changes(store, "k")) == list(block_linears(model))[:2]
    whole, resumed = (
        measure_sensitivity(trials, tried, RANGES, store=path, key="k") for path in (None, store)
    )
    assert (whole.changes["mse"] == resumed.changes["mse"]).all()


def test_groups_have_the_metric_of_the_paper() -> None:
    video = ("mse", "content", "appearance", "motion")
    for group, measure in (("cross", "content"), ("temporal", "motion"), ("ffn", "appearance")):
        assert measure_of(group, video) == measure  # type: ignore[arg-type]
        assert measure_of(group, ("mse", "appearance")) == "appearance"  # type: ignore[arg-type]


@pytest.mark.parametrize("rule", ["mse", "decoupled"])
@pytest.mark.parametrize(
    ("price", "per"), [("weight-bits", "parameter"), ("passes", "mac"), ("passes", "layer")]
)
def test_budgets_are_met_and_used(rule: str, price: str, per: str) -> None:
    sizes = {name: size for name, size in stdit().items() if name.split(".")[1] in "01"}
    sensitivity = synthetic(tuple(sizes))
    low, high = (4.0, 8.0) if price == "weight-bits" else (2.0, 4.0)
    budget = Budget(0.4 * low + 0.6 * high, price, per)  # type: ignore[arg-type]
    assignment = plan(sensitivity, budget, sizes, rule)  # type: ignore[arg-type]
    mean = assignment.mean(price, per, sizes)  # type: ignore[arg-type]
    assert budget.limit - 0.05 * (high - low) < mean <= budget.limit
    with pytest.raises(
        ValueError, match=r"budget=.*: expected at least .*, what the narrowest options spend"
    ):
        plan(sensitivity, Budget(low - 0.1, price, per), sizes, rule)  # type: ignore[arg-type]


def test_decoupling_spends_what_mse_gave_each_group_on_its_own_metric() -> None:
    sizes = {name: size for name, size in stdit().items() if name.split(".")[1] in "01"}
    layers, s, budget = tuple(sizes), synthetic(tuple(sizes)), Budget(6.2)
    by_mse, own = plan(s, budget, sizes, "mse"), plan(s, budget, sizes, "decoupled")
    assert by_mse != own
    for group in ("spatial", "temporal", "cross", "ffn"):
        inside = [i for i, name in enumerate(layers) if layer_group(name) == group]
        measure = measure_of(group, s.measures)  # type: ignore[arg-type]

        def total(assignment: Assignment, table: np.ndarray, inside: list[int] = inside) -> float:  # type: ignore[type-arg]
            return sum(
                float(table[i, r, s.widths.index(width)])
                for i in inside
                for r, width in enumerate(assignment.widths[i])
            )

        spend, _ = spending(budget, layers, s.ranges, s.widths, sizes)
        spent = spend.reshape(len(layers), 4, 2)
        assert total(own, spent) <= total(by_mse, spent)
        assert total(own, s.mean(measure)) <= total(by_mse, s.mean(measure))
    assert sum(
        float(s.mean("mse")[i, r, s.widths.index(w)])
        for i in range(len(layers))
        for r, w in enumerate(by_mse.widths[i])
    ) < sum(
        float(s.mean("mse")[i, r, s.widths.index(w)])
        for i in range(len(layers))
        for r, w in enumerate(own.widths[i])
    )


def test_an_unlimited_budget_widens_everything() -> None:
    sizes = stdit()
    assignment = plan(synthetic(tuple(sizes)), Budget(8), sizes)
    assert assignment.count(W88) == 4 * len(sizes)
    assert assignment.storage_bits(sizes) == 8


def test_the_released_configuration_counts_as_published() -> None:
    """The counts of W4A8-MP's released lists: 308 and 304 layers at 4 bits, 6.21 and 6.34 bits."""
    sizes = stdit()
    assignment = released(tuple(sizes), equal_ranges(20))
    narrow = [sum(width == W48 for width in assignment.at(i).values()) for i in range(4)]
    assert narrow == [0, 308, 308, 304]
    for index, bits in enumerate((8.0, 5.6, 5.6, 5.629)):
        one = Assignment(assignment.layers, ((0,),), tuple((w[index],) for w in assignment.widths))
        assert one.mean("weight-bits", "parameter", sizes) == pytest.approx(bits, abs=5e-4)
    assert assignment.mean("weight-bits", "parameter", sizes) == pytest.approx(6.21, abs=5e-3)
    assert assignment.mean("weight-bits", "mac", sizes) == pytest.approx(6.34, abs=5e-3)
    assert assignment.mean("passes", "mac", sizes) == pytest.approx(3.17, abs=5e-3)
    assert assignment.storage_bits(sizes) == pytest.approx(0.6 * 12 + 0.4 * 8)


def test_two_thirds_of_the_layers_at_4_bits_are_two_passes() -> None:
    sizes = {f"blocks.{i}.mlp.fc1": LayerSize(1, 1) for i in range(3)}
    narrow, wide = Width(4, 4), Width(8, 8)
    assignment = Assignment(tuple(sizes), ((0,),), ((narrow,), (wide,), (narrow,)))
    assert assignment.mean("passes", "layer", sizes) == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0,), "limit=0: expected a positive number"),
        ((6, "energy"), "price='energy': expected 'weight-bits' or 'passes'"),
        ((6, "passes", "block"), "per='block': expected 'parameter', 'mac' or 'layer'"),
    ],
)
def test_illegal_budgets_are_refused(arguments: tuple[object, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Budget(*arguments)  # type: ignore[arg-type]


def test_sizes_are_those_of_one_sample(model: DiT) -> None:
    sizes = layer_sizes(model, NOISE, LABELS)
    assert sizes["blocks.0.mlp.fc2"] == LayerSize(96 * 384, 96 * 384 * 16)
    torch.manual_seed(0)
    video = VideoDiT(VideoDiTConfig(depth=1)).eval().requires_grad_(False)
    sizes = layer_sizes(video, torch.zeros(2, 3, 12, 12), torch.zeros(2, 2, dtype=torch.int64))
    assert sizes["blocks.0.cross_attn.kv"] == LayerSize(2 * 96 * 96, 2 * 96 * 96 * 4)
    assert sizes["blocks.0.attn_temp.qkv"] == LayerSize(3 * 96 * 96, 3 * 96 * 96 * 27)


@pytest.mark.parametrize("recipe", MIXED_RECIPES, ids=lambda recipe: recipe.name)
def test_recipes_have_phases_that_share_their_arrays(
    recipe: ViDiTQMixed, model: DiT, calibration: Calibration
) -> None:
    assert RECIPES[recipe.name] is recipe
    quantized = replace(recipe, samples=4).quantize(model, calibration, CONFIG)
    assert [(phase.first, phase.last) for phase in quantized.phases] == [
        (999, 833),
        (832, 500),
        (499, 167),
        (166, 0),
    ]
    by_width: dict[tuple[str, str], LayerProgram] = {}
    for phase in quantized.phases:
        assert [p.name for p in phase.programs] == list(block_linears(model))
        for p in phase.programs:
            assert isinstance(p, LayerProgram)
            bits = p.operand_bits
            assert Width(bits.weight, bits.activation) in recipe.widths
            assert by_width.setdefault((p.name, p.weight_fmt), p) is p
    if recipe.rule != "released":
        sizes = layer_sizes(model, NOISE, LABELS)
        spent = [
            recipe.budget.of(Width(p.operand_bits.weight, p.operand_bits.activation))
            * sizes[p.name].weight(recipe.budget.per)
            for phase in quantized.phases
            for p in phase.programs
        ]
        whole = 4 * sum(size.weight(recipe.budget.per) for size in sizes.values())
        assert sum(spent) <= recipe.budget.limit * whole
        assert len({p.weight_fmt for phase in quantized.phases for p in phase.programs}) == 2  # type: ignore[attr-defined]


def test_a_mixed_model_runs_its_widths_in_their_ranges(model: DiT, calibration: Calibration) -> None:
    mixed = replace(RECIPES["vidit-q-mp-released"], samples=4).quantize(model, calibration, CONFIG)  # type: ignore[type-var]
    wide = RECIPES["vidit-q-w8a8"].quantize(model, calibration, CONFIG)

    def eps(quantized, t: int):  # type: ignore[no-untyped-def]
        with torch.inference_mode():
            return on_machine(quantized, CONFIG)(NOISE, torch.full((6,), t), LABELS)

    assert torch.equal(eps(mixed, 999), eps(wide, 999))
    assert not torch.equal(eps(mixed, 500), eps(wide, 500))


def test_a_recipe_keeps_its_sensitivities(model: DiT, calibration: Calibration, tmp_path: Path) -> None:
    recipe = replace(MIXED_RECIPES[0], samples=4, store=tmp_path / "s.npz")
    first = recipe.quantize(model, calibration, CONFIG)
    stamp = (tmp_path / "s.npz").stat().st_mtime_ns
    again = recipe.quantize(model, calibration, CONFIG)
    assert (tmp_path / "s.npz").stat().st_mtime_ns == stamp
    fmts = [[p.weight_fmt for phase in q.phases for p in phase.programs] for q in (first, again)]  # type: ignore[attr-defined]
    assert fmts[0] == fmts[1]
    replace(recipe, samples=5).quantize(model, calibration, CONFIG)
    assert (tmp_path / "s.npz").stat().st_mtime_ns != stamp


def test_a_model_of_no_domain_has_no_metric(model: DiT) -> None:
    assert domain_of(model).name == "digits"
    torch.manual_seed(0)
    stranger = DiT(DiTConfig(hidden=32, depth=1, heads=1, classes=11))
    with pytest.raises(ValueError, match=r"model: DiTConfig.*expected the samples and conditions of digits"):
        domain_of(stranger)
    with pytest.raises(ValueError, match="samples=1: expected 2 to 60"):
        replace(MIXED_RECIPES[0], samples=1).quantize(
            model, observe_model(model, NOISE, LABELS, steps=4), CONFIG
        )


def test_three_widths_share_a_budget(model: DiT, calibration: Calibration) -> None:
    """6 bits are no wider than 8 on an array of nibbles, four passes either way, but they are in storage."""
    assert [Width(bits, bits).passes for bits in (4, 6, 8)] == [1, 4, 4]
    widths = (Width(4, 8), Width(6, 8), Width(8, 8))
    recipe = replace(MIXED_RECIPES[0], widths=widths, samples=4, budget=Budget(5))
    programs = recipe.programs(model, calibration, {}, CONFIG)
    assignment = recipe.assignment(model, calibration, programs, {}, CONFIG)
    sizes = layer_sizes(model, NOISE, LABELS)
    assert 4.5 < assignment.mean("weight-bits", "parameter", sizes) <= 5
    assert assignment.count(Width(6, 8)) > 0
    assert sum(map(assignment.count, widths)) == 4 * 4
