// Registers of the accelerator: start, soft reset, status, cycle counter; top_config has the rest. rtl/README.md has the map.
//
// Start is passed on (start_o, one cycle) if the machine rests, no stop from an error stands, and the configuration is
// legal; else the write is answered with an error, and error_q says why. Registers and signs keep still while a layer
// runs: such writes are refused. Soft reset waits until no result is on offer that has not been taken (a valid must not
// fall), then clear_o resets the whole datapath for one cycle; configuration and signs stay.
// The latest error stands until an accepted start or a soft reset.
//
// Latency: 1 from a write to its effect. Throughput: one access per cycle. Overflow: the cycle counter wraps at 2^32.
// Reset: configuration 0. Python twin: fpsim/array/top.py.

`default_nettype none

module fpsim_top_regs #(
  parameter int Formats   = fpsim_pkg::FORMATS,
  parameter int GuardBits = fpsim_pkg::GUARD_BITS,
  parameter int HadamardN = fpsim_pkg::HADAMARD_N,
  parameter int Wide      = 1,  // 1: INT6 and INT8 too
  parameter int Zeros     = 1,  // 1: zero points too
  parameter int Outer     = 1,  // 1: rotations across beats too
  parameter int KMax      = 4608,
  parameter int Build0    = 0,  // the two words that tell the host what is built in
  parameter int Build1    = 0
) (
  input  logic                          clk_i,
  input  logic                          rst_ni,
  input  logic                          write_i,
  input  logic [9:0]                    write_at_i,
  input  logic [31:0]                   write_data_i,
  output logic                          write_error_o,
  input  logic [9:0]                    read_at_i,
  output logic [31:0]                   read_data_o,
  output logic                          read_error_o,
  output logic                          sign_write_o,   // word write_at_i[8:0] of the sign vector
  output logic                          start_o,
  output logic                          clear_o,
  input  logic                          busy_i,         // a layer runs
  input  logic                          stopped_i,      // an error in the data has stopped one
  input  logic                          finished_i,     // last cycle of a layer
  input  logic [7:0]                    data_error_i,   // in the cycle it shows; 0: none
  input  logic                          offered_i,      // a result waits and is not taken in this cycle
  output logic [15:0]                   m_o,
  output logic [15:0]                   n_o,
  output logic [15:0]                   k_o,
  output logic [fpsim_row_pkg::QUANT_W-1:0] a_fmt_o,
  output logic [fpsim_row_pkg::QUANT_W-1:0] b_fmt_o,
  output logic [12:0]                   recipe_o,       // of fpsim_top_config
  output logic [fpsim_pkg::FP16_EXP_W-1:0] exp_o,
  output logic [31:0]                   amp_o,
  output logic [7:0]                    zero_o
);

  localparam logic [31:0] ID         = 32'h4650_534D;  // "FPSM"
  localparam logic [31:0] VERSION    = 32'h0002_0000;
  localparam logic [7:0]  ERROR_BUSY = 8'd9;           // start while a layer runs
  localparam logic [9:0]  AT_ID = 10'd0, AT_VERSION = 10'd1, AT_BUILD0 = 10'd2, AT_BUILD1 = 10'd3;
  localparam logic [9:0]  AT_CONTROL = 10'd4, AT_STATUS = 10'd5, AT_CYCLES = 10'd6;

  logic [31:0] cycles_q, config_data;
  logic [7:0]  error_q, check_error;
  logic        done_q, reset_pending_q, clear_q, busy, config_found;

  // ---------------------------------
  // Writes
  // ---------------------------------
  logic is_sign, is_config, is_control, wants_start, wants_reset;

  assign is_sign      = write_at_i[9];
  assign is_control   = write_at_i == AT_CONTROL;
  assign wants_start  = write_i && is_control && write_data_i[0];
  assign wants_reset  = write_i && is_control && write_data_i[1];
  assign busy         = busy_i || reset_pending_q || clear_q;
  assign start_o      = wants_start && !wants_reset && !busy && !stopped_i && check_error == '0;
  assign sign_write_o = write_i && is_sign && !busy;

  always_comb begin
    write_error_o = busy;
    if (is_control) write_error_o = wants_start && !start_o;
    else if (!is_sign && !is_config) write_error_o = 1'b1;
  end

  fpsim_top_config #(
    .Formats(Formats), .GuardBits(GuardBits), .HadamardN(HadamardN), .Wide(Wide), .Zeros(Zeros), .Outer(Outer),
    .KMax(KMax)
  ) u_config (
    .clk_i       (clk_i),
    .rst_ni      (rst_ni),
    .write_at_i  (write_at_i),
    .owned_o     (is_config),
    .write_i     (write_i && is_config && !busy),
    .write_data_i(write_data_i),
    .read_at_i   (read_at_i),
    .found_o     (config_found),
    .read_data_o (config_data),
    .error_o     (check_error),
    .m_o         (m_o),
    .n_o         (n_o),
    .k_o         (k_o),
    .a_fmt_o     (a_fmt_o),
    .b_fmt_o     (b_fmt_o),
    .recipe_o    (recipe_o),
    .exp_o       (exp_o),
    .amp_o       (amp_o),
    .zero_o      (zero_o)
  );

  // ---------------------------------
  // Status
  // ---------------------------------
  logic [7:0] new_error;

  always_comb begin
    new_error = '0;
    if (wants_start && !wants_reset) begin
      if (busy) new_error = ERROR_BUSY;
      else if (!stopped_i) new_error = check_error;
    end
    if (data_error_i != '0) new_error = data_error_i;
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      error_q         <= '0;
      done_q          <= 1'b0;
      cycles_q        <= '0;
      reset_pending_q <= 1'b0;
      clear_q         <= 1'b0;
    end else begin
      clear_q         <= reset_pending_q && !offered_i;
      reset_pending_q <= (reset_pending_q && offered_i) || wants_reset;
      if (start_o || clear_q) begin
        error_q  <= '0;
        done_q   <= 1'b0;
        cycles_q <= '0;
      end else begin
        if (new_error != '0) error_q <= new_error;
        if (finished_i) done_q <= 1'b1;
        if (busy_i) cycles_q <= cycles_q + 1'b1;
      end
    end
  end

  // ---------------------------------
  // Reads
  // ---------------------------------
  always_comb begin
    read_error_o = 1'b0;
    case (read_at_i)
      AT_ID:      read_data_o = ID;
      AT_VERSION: read_data_o = VERSION;
      AT_BUILD0:  read_data_o = Build0;
      AT_BUILD1:  read_data_o = Build1;
      AT_CONTROL: read_data_o = '0;
      AT_STATUS:  read_data_o = {16'd0, error_q, 6'd0, done_q, busy};
      AT_CYCLES:  read_data_o = cycles_q;
      default: begin
        read_data_o  = config_data;
        read_error_o = !config_found;
      end
    endcase
  end

  assign clear_o = clear_q;

endmodule

`default_nettype wire
