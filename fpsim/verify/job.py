"""What one simulation is asked to do: written by the runner, read by the bench inside the simulator."""

from __future__ import annotations

import json
import shlex
from dataclasses import asdict, dataclass
from pathlib import Path

from fpsim.array.config import ArrayConfig, UnitConfig
from fpsim.verify.units import KINDS, Kind, Unit, unit

JOB_VARIABLE = "FPSIM_JOB"
# Beside the job file: the golden set's words, and the counts that the bench reports.
GOLDEN_FILE = "golden.json"
RESULT_FILE = "counts.json"
# There too: the sequence to replay, or the one that a search found.
SEQUENCE_FILE = "sequence.json"
FAILURES_FOLDER = "build/failures"


@dataclass(frozen=True)
class Job:
    """One simulation of one unit.

    Attributes:
        unit_name: the unit, as in `units.UNIT_NAMES`.
        config: what it is built with.
        kinds: which vectors run; a unit runs those that it has.
        seed: seed of everything random.
        quick: fewer vectors of each kind.
        golden: folder of a golden set, for the kind "golden".
        rtl: folder of the SystemVerilog, None for the repository's own.
        replay_file: file with the one sequence of the kind "sequences"; None: they are searched.
        failures: folder for the file of a sequence that fails.
        functional: whether the bench counts functional coverage.
    """

    unit_name: str
    config: ArrayConfig
    kinds: tuple[Kind, ...] = ("exhaustive", "random")
    seed: int = 0
    quick: bool = False
    golden: str | None = None
    rtl: str | None = None
    replay_file: str | None = None
    failures: str = FAILURES_FOLDER
    functional: bool = False

    def __post_init__(self) -> None:
        unknown = [kind for kind in self.kinds if kind not in KINDS]
        if unknown or not self.kinds:
            raise ValueError(f"kinds={self.kinds!r}: expected some of {', '.join(KINDS)}")
        if ("golden" in self.kinds) != (self.golden is not None):
            raise ValueError(f"golden={self.golden!r}: expected a folder if and only if kinds has 'golden'")
        if self.replay_file is not None and self.kinds != ("sequences",):
            raise ValueError(f"replay_file={self.replay_file!r}: expected the kinds ('sequences',) with it")

    @property
    def unit(self) -> Unit:
        """The unit's ports and parameters."""
        return unit(self.unit_name, self.config)

    def write(self, path: Path) -> None:
        """Write the job for the bench."""
        path.write_text(json.dumps({**asdict(self), "config": self.config.to_dict()}), encoding="utf-8")

    @classmethod
    def read(cls, path: str | Path) -> Job:
        """The job that `write` wrote."""
        data = json.loads(Path(path).read_text(encoding="utf-8"))
        data["config"] = ArrayConfig.from_dict(data["config"])
        data["kinds"] = tuple(data["kinds"])
        return cls(**data)

    @property
    def sequence_file(self) -> Path:
        """Where the sequence of a failure lies: the file that is replayed, or one in the folder."""
        if self.replay_file is not None:
            return Path(self.replay_file)
        return Path(self.failures, f"{self.unit_name}-seed{self.seed}.json")

    def replay(self, kind: str) -> str:
        """The command that runs this kind of vectors of this job again."""
        if kind == "sequences":
            words = ["fpsim", "verify", "--replay", str(self.sequence_file)]
            return shlex.join([*words, *(["--rtl", self.rtl] if self.rtl is not None else [])])
        words = ["python", "-m", "fpsim.verify", self.unit_name]
        if self.golden is not None and kind == "golden":
            words += ["--golden", self.golden]  # the set knows its configuration
        else:
            words += ["--kind", kind, "--seed", str(self.seed), *self._config_options()]
            words += ["--quick"] * self.quick
        words += ["--rtl", self.rtl] if self.rtl is not None else []
        return shlex.join(words)

    def _config_options(self) -> list[str]:
        """What differs from the default configuration, as options of `python -m fpsim.verify`."""
        chosen, standard = self.config.unit, UnitConfig()
        options = {
            "--rows": (self.config.rows, None),
            "--cols": (self.config.cols, None),
            "--formats": (",".join(chosen.formats), ",".join(standard.formats)),
            "--acc-bits": (chosen.acc_bits, standard.acc_bits),
            "--guard-bits": (chosen.guard_bits, standard.guard_bits),
            "--hadamard-n": (chosen.hadamard_n, standard.hadamard_n),
            "--float-acc": (chosen.float_acc, standard.float_acc),
            "--overflow": (chosen.overflow, standard.overflow),
            "--overlap": (int(chosen.overlap), int(standard.overlap)),
            "--product-cut": (int(chosen.product_cut), int(standard.product_cut)),
            "--hadamard-cut": (chosen.hadamard_cut, standard.hadamard_cut),
        }
        changed = ((option, str(value)) for option, (value, default) in options.items() if value != default)
        return [word for pair in changed for word in pair]
