"""Cover points of fpsim_lfsr, fpsim_row_sum and fpsim_group_registers: what a register is told to do."""

from __future__ import annotations

from fpsim.array.config import ArrayConfig
from fpsim.verify.covergroup import unreachable
from fpsim.verify.covergroups.rows import lanes_of, signed
from fpsim.verify.covergroups.sampler import NO_YES, RESULT_SIGNS, Sampler, Words, sign_of
from fpsim.verify.ports import Unit


class LfsrSampler(Sampler):
    """Steps and seeds, alone and together; the seed that there is not."""

    def __init__(self, unit: Unit, config: ArrayConfig) -> None:
        points = {"seed_en": NO_YES, "step": NO_YES, "seed": ("zero", "other")}
        super().__init__(unit, config, points, (("seed_en", "step", "seed"),))

    def result(self, inputs: Words, expected: Words) -> None:
        """One cycle."""
        seed = "other" if inputs["seed"] else "zero"
        self.sample(seed_en=NO_YES[inputs["seed_en"]], step=NO_YES[inputs["step"]], seed=seed)


class RowSumSampler(Sampler):
    """First, further and held beats with sums of every sign, codes at their ends, the longest rows."""

    def __init__(self, unit: Unit, config: ArrayConfig) -> None:
        points = {
            "operation": ("hold", "first", "add"),
            "sum": RESULT_SIGNS,
            "codes": ("all lowest", "all highest", "all zero", "mixed"),
            "row": ("ordinary", "longest of lowest", "longest of highest"),
        }
        signs = {"all lowest": "negative", "all highest": "positive", "all zero": "zero"}
        rules = [
            unreachable(
                f"a first beat of these codes leaves a {sign} sum",
                operation="first",
                codes=codes,
                sum=tuple(other for other in RESULT_SIGNS if other != sign),
            )
            for codes, sign in signs.items()
        ]
        super().__init__(unit, config, points, (("operation", "codes", "sum"),), rules)
        self._sum = 0
        depth = (1 << unit.parameters["DepthW"]) - 1
        lanes = unit.parameters["Lanes"]
        self._longest = depth // lanes * lanes

    def reset(self) -> None:
        """The sum is 0."""
        self._sum = 0

    def result(self, inputs: Words, expected: Words) -> None:
        """One beat, a hold too."""
        high, low = self.unit.inputs[2:]
        nibbles = zip(lanes_of(high, inputs["high"]), range(low.lanes), strict=True)
        codes = {16 * top + low.lane(inputs["low"], lane) for top, lane in nibbles}
        kind = {-128: "all lowest", 127: "all highest", 0: "all zero"}.get(min(codes), "mixed")
        self._sum = signed(expected["sum"], self.unit.outputs[0].bits)
        row = "ordinary"
        if self._sum == -128 * self._longest:
            row = "longest of lowest"
        elif self._sum == 127 * self._longest:
            row = "longest of highest"
        self.sample(
            operation="hold" if not inputs["en"] else "first" if inputs["first"] else "add",
            sum=sign_of(self._sum),
            codes=kind if len(codes) == 1 else "mixed",
            row=row,
        )


class GroupRegistersSampler(Sampler):
    """Every group read and written; a write of the group that is read; rows that pass."""

    def __init__(self, unit: Unit, config: ArrayConfig) -> None:
        groups = tuple(map(str, range(unit.parameters["Groups"])))
        points = {
            "group": groups,
            "write_group": groups,
            "static": NO_YES,
            "write": ("none", "the group on the port", "another group"),
        }
        crosses = (("static", "write"), ("group", "static"), ("write_group", "write"))
        super().__init__(unit, config, points, crosses)

    def result(self, inputs: Words, expected: Words) -> None:
        """One cycle."""
        write = "none"
        if inputs["write"]:
            same = inputs["write_group"] == inputs["group"]
            write = "the group on the port" if same else "another group"
        self.sample(
            group=str(inputs["group"]),
            write_group=str(inputs["write_group"]),
            static=NO_YES[inputs["static"]],
            write=write,
        )
