"""The command line: every job below as a command."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from fpsim import cli_estimate as options
from fpsim.array.config import ArrayConfig

app = typer.Typer(
    help="Bit-accurate FP4 hardware simulator and RTL reference for quantized diffusion transformers.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
console = Console()
errors = Console(stderr=True)

Rows = Annotated[int, typer.Option(help="Rows R of the MAC array (tokens), 1 to 64.")]
Cols = Annotated[int, typer.Option(help="Columns C of the MAC array (output channels), 1 to 64.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")]
Library = Annotated[str, typer.Option(help="Characterized cell library.")]
Steps = Annotated[int, typer.Option(help="DDIM steps, 2 to 1000.")]


@contextmanager
def _clear_errors() -> Iterator[None]:
    """What a user can mend ends in one line and exit code 2, not in a traceback."""
    try:
        yield
    except (ValueError, OSError, RuntimeError) as error:
        errors.print(f"[red]error:[/red] {escape(str(error))}", highlight=False, soft_wrap=True)
        raise typer.Exit(2) from error


def _print_json(data: dict[str, Any]) -> None:
    typer.echo(json.dumps(data, indent=2))


@app.command()
def demo(
    out: Annotated[Path, typer.Option(help="Folder for report and vectors.")] = Path("out/demo"),
    images: Annotated[int, typer.Option(help="Images per model and arithmetic, 2 to 1000.")] = 500,
    steps: Steps = 20,
    library: Library = "asap7",
) -> None:
    """Run the main job: a diffusion transformer in FP4, bit by bit, against the RTL, with its cost.

    Example: fpsim demo --out out/demo
    """
    from fpsim.demo.quality import Sampling
    from fpsim.demo.run import run_demo

    with _clear_errors():
        if not run_demo(out, ArrayConfig(), Sampling(images, steps), library, console):
            errors.print("[red]error:[/red] an RTL check failed; see the report")
            raise typer.Exit(1)


@app.command()
def sample(
    out: Annotated[Path, typer.Option(help="PNG file to write.")] = Path("samples.png"),
    model: Annotated[str, typer.Option(help="digits or glyphs, each also as -stress.")] = "digits",
    recipe: Annotated[list[str] | None, typer.Option(help="Recipe, repeatable. Default: two.")] = None,
    images: Annotated[int, typer.Option(help="Number of images, 2 to 1000.")] = 20,
    steps: Steps = 20,
    as_json: AsJson = False,
) -> None:
    """Sample images, in FP32 and with every block linear executed by the machine, side by side.

    Example: fpsim sample --recipe rotated-w4a4 --images 40 --out samples.png
    """
    from fpsim.demo.quality import Sampling
    from fpsim.demo.sample import sample_side_by_side
    from fpsim.report.tables import quality_table
    from fpsim.report.terminal import QUALITY_COLUMNS, rich_table

    with _clear_errors():
        quality = sample_side_by_side(out, model, recipe or [], Sampling(images, steps), ArrayConfig())
        if as_json:
            _print_json(asdict(quality))
        else:
            console.print(rich_table(quality_table(quality), titles=QUALITY_COLUMNS))
            console.print(f"wrote {out}")


@app.command()
def methods(
    out: Annotated[Path, typer.Option(help="Folder for the table and its lines.")] = Path("out/methods"),
    model: Annotated[list[str] | None, typer.Option(help="Model, repeatable. Default: digits.")] = None,
    recipe: Annotated[list[str] | None, typer.Option(help="Recipe, repeatable. Default: all.")] = None,
    images: Annotated[int, typer.Option(help="Images per seed.")] = 500,
    steps: Steps = 20,
    seeds: Annotated[int, typer.Option(help="Seeds of starting noise.")] = 3,
    library: Library = "asap7",
    new_prices: Annotated[
        bool, typer.Option("--reprice", help="Only price the table in --out again.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Measure every recipe on a model, executed bit by bit: quality, widths, passes, cycles, energy.

    Every recipe is sampled twice per seed, on the machine and in float: name a few to keep it short. A line
    is kept when it is done: a run that was cut off goes on where it was.

    Example: fpsim methods --model digits --recipe hq-dit-w4a4 --recipe nvfp4
    """
    from fpsim.demo.progress import progress_bars
    from fpsim.methods.measure import Sampling
    from fpsim.methods.run import reprice, run_methods
    from fpsim.quant.recipes import RECIPES
    from fpsim.report.files import strict
    from fpsim.report.methods import TERMINAL_COLUMNS, methods_table
    from fpsim.report.terminal import rich_table

    with _clear_errors(), progress_bars() as progress:
        if new_prices:
            tables = reprice(out, library)
        else:
            sampling, names = Sampling(images, steps, seeds), recipe or list(RECIPES)
            tables = run_methods(out, model or ["digits"], names, sampling, library, progress)
    if as_json:
        _print_json(strict({"tables": [asdict(table) for table in tables]}))
        return
    for table in map(methods_table, tables):
        console.print(rich_table(table, table.caption, TERMINAL_COLUMNS))
    console.print(f"wrote {out}")


@app.command()
def decoupling(
    out: Annotated[Path, typer.Option(help="Folder for tables and sensitivities.")] = Path("out/decoupling"),
    measured: Annotated[int, typer.Option(help="Videos that sensitivities are measured on.")] = 24,
    judged: Annotated[int, typer.Option(help="Other videos, that assignments are judged by.")] = 64,
    steps: Steps = 20,
    as_json: AsJson = False,
) -> None:
    """Measure on the video model which layer group spoils which metric, and what ViDiT-Q-MP makes of it.

    Mixed precision with layers ranked by their group's own metric runs against the same budget spent by
    plain squared error, from the same noise (minutes; the sensitivities are kept for the next run).

    Example: fpsim decoupling --judged 200
    """
    from rich.markdown import Markdown

    from fpsim.demo.progress import progress_bars
    from fpsim.methods.video import VideoSampling, run_video, study_data, study_text
    from fpsim.report.files import strict

    with _clear_errors(), progress_bars() as progress:
        result = run_video(out, VideoSampling(measured, judged, steps), progress)
    if as_json:
        _print_json(strict(study_data(result)))
        return
    console.print(Markdown(study_text(result)))
    console.print(f"wrote {out}")


@app.command()
def golden(
    out: Annotated[Path, typer.Option(help="Folder of the golden sets.")] = Path("golden"),
    capture: Annotated[bool, typer.Option(help="Take new rows from a sampling run.")] = False,
    rows: Rows = ArrayConfig.rows,
    cols: Cols = ArrayConfig.cols,
    as_json: AsJson = False,
) -> None:
    """Make the golden vectors of every unit again from the stored rows of real layer tiles.

    Example: fpsim golden --out golden
    """
    from fpsim.vectors import read
    from fpsim.vectors.build import build_sets

    with _clear_errors():
        paths = build_sets(out, ArrayConfig(rows=rows, cols=cols), capture=capture)
        counts = {str(p): {name: len(words) for name, words in read(p).beats.items()} for p in paths}
        if as_json:
            _print_json({"sets": counts})
            return
        for path, words in counts.items():
            console.print(f"{path}: {', '.join(f'{n} {name}' for name, n in words.items())}")


@app.command()
def formats(
    name: Annotated[str, typer.Argument(help="A format, such as e2m1. Default: the list of formats.")] = "",
    bias: Annotated[float | None, typer.Option(help="A real exponent bias, as in HQ-DiT.")] = None,
    as_json: AsJson = False,
) -> None:
    """Print the code table of a format: bits, value, neighbours, and where every tie goes.

    Example: fpsim formats e2m1
    """
    from fpsim.formats import FORMATS, get
    from fpsim.report.formats_table import (
        codes_record,
        codes_table,
        format_line,
        format_record,
        formats_table,
    )
    from fpsim.report.terminal import rich_table

    with _clear_errors():
        if not name:
            if bias is not None:
                raise ValueError(
                    f"bias={bias}: expected a format beside it, such as: fpsim formats e2m1 --bias 2"
                )
            if as_json:
                _print_json({"formats": [format_record(form) for form in FORMATS.values()]})
            else:
                console.print(rich_table(formats_table()))
            return
        form = get(name) if bias is None else get(name).with_bias(bias)
        if as_json:
            _print_json(codes_record(form))
        else:
            console.print(format_line(form), highlight=False, markup=False, soft_wrap=True)
            console.print(rich_table(codes_table(form)))


@app.command()
def bench(
    rtl: Annotated[
        bool, typer.Option("--rtl", help="The array's RTL in the simulator (builds: minutes).")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Measure speed as ratios against peers in the same run, one thread each.

    Example: fpsim bench --json
    """
    from fpsim.bench.jobs import run_jobs
    from fpsim.bench.jobs_rtl import run_rtl_jobs
    from fpsim.bench.table import comparison_table

    with _clear_errors():
        results = list(run_rtl_jobs() if rtl else run_jobs())
        if as_json:
            _print_json({"comparisons": [asdict(result) for result in results]})
        else:
            console.print(comparison_table(results))


@app.command()
def verify(
    unit: Annotated[list[str] | None, typer.Option(help="Unit, repeatable. Default: all.")] = None,
    golden: Annotated[Path, typer.Option(help="Folder of golden sets.")] = Path("golden"),
    rtl: Annotated[Path | None, typer.Option(help="Folder of your SystemVerilog. Default: ours.")] = None,
    rows: Rows = ArrayConfig.rows,
    cols: Cols = ArrayConfig.cols,
    seed: Annotated[int, typer.Option(help="Seed of the random vectors.")] = 0,
    quick: Annotated[bool, typer.Option(help="Fewer vectors.")] = False,
    everything: Annotated[
        bool, typer.Option("--all", help="Coverage, proofs, mutants, lint, a second simulator, too.")
    ] = False,
    stage: Annotated[
        list[str] | None, typer.Option(help="With --all: only this stage, repeatable. Default: every stage.")
    ] = None,
    report: Annotated[Path | None, typer.Option(help="With --all: folder for the sign-off page.")] = None,
    failures: Annotated[
        Path,
        typer.Option(
            help="Folder for the short sequence of each unit that fails, and the first one's waves."
        ),
    ] = Path("build/failures"),
    again: Annotated[
        Path | None,
        typer.Option("--replay", help="Play only the sequence in this file, found by a failing run."),
    ] = None,
    waves: Annotated[Path | None, typer.Option(help="With --replay: VCD file to write.")] = None,
    as_json: AsJson = False,
) -> None:
    """Run the RTL of every unit in the simulator against the law and the golden vectors.

    With --all, everything that a sign-off looks at: a page, the same as JSON, and JUnit XML.

    Example: fpsim verify --unit mac_array --rtl my_rtl

    Example: fpsim verify --replay build/failures/mac_array-seed0.json --rtl my_rtl --waves failure.vcd
    """
    from fpsim.demo.progress import progress_bars
    from fpsim.demo.rtl import as_checks, replayed
    from fpsim.demo.signoff import as_json as signoff_json
    from fpsim.demo.signoff import show, signed, troubles
    from fpsim.report.tables import rtl_table
    from fpsim.report.terminal import rich_table
    from fpsim.vectors.build import set_paths
    from fpsim.verify.check import STAGES
    from fpsim.verify.signoff import run_signoff
    from fpsim.verify.suite import run_suite

    if again is not None:
        with _clear_errors():
            text, passed = replayed(again, rtl, waves, as_json)
        (console if passed else errors).print(text, highlight=False, markup=False, soft_wrap=True)
        if not passed:
            raise typer.Exit(1)
        return
    config = ArrayConfig(rows=rows, cols=cols)
    with _clear_errors(), progress_bars() as progress:
        sets = set_paths(golden)
        if not sets:
            raise ValueError(f"golden={str(golden)!r}: no golden sets there; make them with: fpsim golden")
        for option, given in (("stage", stage), ("report", report)):
            if given and not everything:
                raise ValueError(f"{option}={str(given)!r}: only with --all")
        chosen: dict[str, Any] = {"units": unit, "seed": seed, "quick": quick, "rtl": rtl}
        chosen |= {"failures": failures, "progress": progress}
        if everything:
            stages, folder = list(stage or STAGES), report or Path("out/verify")
            run = partial(run_signoff, config, sets, stages=stages, **chosen)
            signoff = signed(run, stages, unit, folder)
        else:
            results = run_suite(config, sets, **chosen)
    if everything:
        _print_json(signoff_json(signoff)) if as_json else show(signoff, folder, console)
        for text in troubles(signoff):
            errors.print(text, highlight=False, markup=False, soft_wrap=True)
        raise typer.Exit(int("failed" in signoff.counts))
    if as_json:
        _print_json({"units": [asdict(result) for result in results]})
    else:
        short = [replace(check, message=check.message.partition("\n")[0]) for check in as_checks(results)]
        console.print(rich_table(rtl_table(short)))  # whole messages follow
    for result in results:
        if not result.passed:
            waves_row = f"\n  waves      {result.waves}" if result.waves else ""
            errors.print(result.message + waves_row, highlight=False, markup=False, soft_wrap=True)
    if not all(result.passed for result in results):
        raise typer.Exit(1)


@app.command()
def characterize(
    liberty: Annotated[list[Path], typer.Option(help="Liberty file, plain or .gz; several are taken.")],
    out: Annotated[Path, typer.Option(help="Folder, or a .json file for one library.")] = Path("units"),
    operands: options.Operands = None,
    as_json: AsJson = False,
) -> None:
    """Synthesize every unit for cell libraries: area, leakage, longest path, energy. Call again to resume.

    Example: fpsim characterize --liberty osu018_stdcells.lib --out units_osu018.json
    """
    from fpsim.demo.progress import progress_bars
    from fpsim.estimate.refresh import characterize_libraries

    with _clear_errors(), progress_bars() as progress:
        records = characterize_libraries(liberty, out, lambda n, of, what: progress(what, n, of), operands)
    if as_json:
        _print_json(records[0] if out.suffix == ".json" else {"libraries": records})
    else:
        console.print(f"wrote {out}")


@app.command()
def estimate(
    model: options.Model = None,
    resolution: options.Resolution = None,
    frames: options.Frames = None,
    steps: options.Steps = None,
    guidance: options.Guidance = None,
    library: options.Library = None,
    units: options.Units = None,
    activity: options.Activity = None,
    rows: options.Rows = None,
    cols: options.Cols = None,
    config: options.Config = None,
    csv: options.Csv = None,
    as_json: AsJson = False,
) -> None:
    """Cycles, traffic and energy per layer, block and image: counts times characterized unit costs.

    Example: fpsim estimate --model dit-xl/2 --resolution 256 --json
    """
    from fpsim.demo.estimate_run import as_json as plain
    from fpsim.demo.estimate_run import run_estimate, show

    asked: dict[str, object] = {"model": model, "resolution": resolution, "frames": frames, "steps": steps}
    asked |= {"guidance": guidance, "library": library, "units": units, "activity": activity}
    with _clear_errors():
        result = run_estimate(config, {**asked, "rows": rows, "cols": cols}, csv)
        if as_json:
            _print_json(plain(result))
        else:
            show(result, console)
