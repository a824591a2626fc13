// Phases of the row path and the beats that enter and leave them: load, rotate, quantize, load, ... After rotate come one
// or two phases outer where first_i, second_i say that the rotation goes across beats.
//
// Load counts the beats that are taken. The other phases read beat after beat from a memory, one per cycle
// (read_o, in_at_o; the data are there one cycle later, fetched_o, fetched_at_o, and stay until accept_i), and end with
// the last beat that leaves their pipeline (leaves_i, out_at_o).
//
// Latency: 1. Throughput: one beat per cycle. Overflow: none. Reset: load, beat 0. Python twin: fpsim/array/top_cycles.py.

`default_nettype none

module fpsim_row_phases #(
  parameter int AtW = 8  // bits of a beat's index
) (
  input  logic           clk_i,
  input  logic           rst_ni,
  input  logic [AtW-1:0] last_beat_i,
  input  logic           first_i,
  input  logic           second_i,
  input  logic           taken_i,      // load: a beat enters
  input  logic           accept_i,     // other phases: the fetched beat is taken, if there is one
  input  logic           leaves_i,     // other phases: a beat leaves
  output logic           load_o,
  output logic           rotate_o,
  output logic           outer_o,
  output logic           second_o,     // it is the second one
  output logic           quantize_o,
  output logic           read_o,       // beat in_at_o is to be read
  output logic [AtW-1:0] in_at_o,
  output logic           in_last_o,
  output logic           fetched_o,    // beat fetched_at_o has been read
  output logic [AtW-1:0] fetched_at_o,
  output logic [AtW-1:0] out_at_o,
  output logic           phase_end_o
);

  typedef enum logic [2:0] {StLoad, StRotate, StFirst, StSecond, StQuantize} state_e;

  state_e         state_d, state_q;
  logic [AtW-1:0] in_at_q, out_at_q, fetched_at_q;
  logic           unread_q, fetched_q;  // beats of this phase are still to be read

  assign load_o       = state_q == StLoad;
  assign rotate_o     = state_q == StRotate;
  assign outer_o      = state_q == StFirst || state_q == StSecond;
  assign second_o     = state_q == StSecond;
  assign quantize_o   = state_q == StQuantize;
  assign read_o       = unread_q && !load_o && (!fetched_q || accept_i);
  assign in_at_o      = in_at_q;
  assign in_last_o    = in_at_q == last_beat_i;
  assign fetched_o    = fetched_q;
  assign fetched_at_o = fetched_at_q;
  assign out_at_o     = out_at_q;
  assign phase_end_o  = load_o ? taken_i && in_last_o : leaves_i && out_at_q == last_beat_i;

  always_comb begin
    state_d = state_q;
    if (phase_end_o) begin
      case (state_q)
        StLoad: state_d = StRotate;
        StRotate: begin
          state_d = StQuantize;
          if (second_i) state_d = StSecond;
          if (first_i) state_d = StFirst;
        end
        StFirst: begin
          state_d = StQuantize;
          if (second_i) state_d = StSecond;
        end
        StSecond: state_d = StQuantize;
        default:  state_d = StLoad;
      endcase
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      state_q   <= StLoad;
      in_at_q   <= '0;
      out_at_q  <= '0;
      unread_q  <= 1'b1;
      fetched_q <= 1'b0;
    end else begin
      state_q   <= state_d;
      fetched_q <= read_o || (fetched_q && !accept_i);
      if (phase_end_o) begin
        in_at_q  <= '0;
        out_at_q <= '0;
        unread_q <= 1'b1;
      end else begin
        if (taken_i || read_o) in_at_q <= in_at_q + 1'b1;
        if (read_o && in_last_o) unread_q <= 1'b0;
        if (leaves_i) out_at_q <= out_at_q + 1'b1;
      end
    end
  end

  always_ff @(posedge clk_i) begin
    if (read_o) fetched_at_q <= in_at_q;
  end

endmodule

`default_nettype wire
