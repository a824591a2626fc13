"""The whole accelerator as the benches see it: `fpsim_top` with its buses. Not one of the suite's units."""

from __future__ import annotations

from fpsim.array.config import ArrayConfig
from fpsim.array.top import TopConfig
from fpsim.verify.ports import Port, Unit

K_MAX = 384  # of the builds under test: the longest row of the digits model


def top_config(config: ArrayConfig) -> TopConfig:
    """The accelerator under test: what a build can leave out is left out together."""
    return TopConfig(config, K_MAX, outer=config.unit.overlap)


def _top(config: ArrayConfig) -> Unit:
    top = top_config(config)
    x_bits, y_bits = 16 * config.unit.hadamard_n, 16 * config.cols
    return Unit(
        "top",
        "axi",
        ("exhaustive", "random"),
        top.rtl_parameters(),
        (
            *_ports("s_axil", awaddr=12, awprot=3, awvalid=1, wdata=32, wstrb=4, wvalid=1, bready=1),
            *_ports("s_axil", araddr=12, arprot=3, arvalid=1, rready=1),
            *_ports("s_axis_x", tdata=x_bits, tvalid=1, tlast=1),
            *_ports("s_axis_w", tdata=top.weight_beat_bits, tvalid=1, tlast=1),
            *_ports("m_axis_y", tready=1),
        ),
        (
            *_ports("s_axil", awready=1, wready=1, bresp=2, bvalid=1, arready=1, rdata=32, rresp=2, rvalid=1),
            *_ports("s_axis_x", tready=1),
            *_ports("s_axis_w", tready=1),
            Port("m_axis_y_tdata", 16, config.cols, "fp16"),
            *_ports("m_axis_y", tkeep=y_bits // 8, tvalid=1, tlast=1),
        ),
    )


def _ports(bus: str, **widths: int) -> tuple[Port, ...]:
    return tuple(Port(f"{bus}_{signal}", bits) for signal, bits in widths.items())


TOP_UNITS = {"top": _top}
