"""Area, cycles and energy: counts times characterized unit costs, always low, mid and high."""
