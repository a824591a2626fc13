"""What is proved of the top's buses and streams: nothing on offer changes, one answer per request."""

from __future__ import annotations

from fpsim.verify.fault import Fault
from fpsim.verify.proof import Proof, twin

_LONG_ANSWER: Fault = twin(
    "top_axil", "bvalid_q ? !bready_i : execute", "bvalid_q ? 1'b0 : execute", "an answer waits for nobody"
)
_DRAIN = twin(
    "tile_drain",
    "if (y_valid_o && y_ready_i) out_row_q <= y_last_o",
    "if (y_valid_o) out_row_q <= y_last_o",
    "tlast moves while a row waits",
)
_CONTROL = twin(
    "top_control",
    "if (y_done_i) cols_left_d = more_cols ? cols_left_q - 16'(Cols) : n_i;",
    "if (array_done_i) cols_left_d = more_cols ? cols_left_q - 16'(Cols) : n_i;",
    "tkeep is that of the next tile when the array is done",
)
_LOADER = twin(
    "weight_loader", "!codes || beat_ready_i", "1'b1", "codes are taken that the array does not take"
)

TOP_PROOFS = (
    Proof(
        "top-axil",
        ("fpsim_top_axil",),
        "AXI4-Lite: one answer per request, of its own access, which happens once; what is offered stays",
        "top_axil",
        {"AddrW": 4},
        _LONG_ANSWER,
        steps=12,
        probes={"inner_whole": "dut.whole_q"},
    ),
    Proof(
        "top-stream-y",
        ("fpsim_tile_drain",),
        "AXI4-Stream y: tdata, tkeep and tlast stay until tready; each real row of a tile leaves once, tlast"
        " on its last, while the tile's shape stays (top-tile-shape)",
        "tile_drain",
        {},
        _DRAIN,
        steps=12,
        probes={
            "valid_q": "dut.u_epilogue.u_control.valid_q",
            **{name: f"dut.{name}" for name in ("row_q", "out_row_q")},
        },
    ),
    Proof(
        "top-tile-shape",
        ("fpsim_top_control",),
        "a tile's rows and columns stay while results of it are owed, and then the drain runs",
        "top_control",
        {"Rows": 2, "Cols": 2},
        _CONTROL,
        steps=12,
        probes={name: f"dut.{name}" for name in ("array_owed_q", "y_owed_q", "state_q")},
    ),
    Proof(
        "top-stream-w",
        ("fpsim_weight_loader",),
        "AXI4-Stream w: every beat that is taken goes to one place once, scales, zero points, then codes",
        "weight_loader",
        {"Cols": 3},
        _LOADER,
        steps=6,
        probes={"state_q": "dut.state_q", "col_q": "dut.col_q"},
    ),
)
