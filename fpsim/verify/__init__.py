"""Simulators and cocotb benches: does the RTL compute what the law says?"""
