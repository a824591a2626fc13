"""Energy at another node, by the fit of Stillmaker and Baas; an extra column, never the figure itself.

    E(node, V) ~ a V^2 + b V + c        E_new = E_old · E(new node, new V) / E(old node, old V)

Source of a, b, c: A. Stillmaker and B. Baas, "Scaling equations for the accurate prediction of CMOS device
performance from 180 nm to 7 nm", Integration 58 (2017), with its corrigendum; high-performance devices from
45 nm down. The fit is to simulated devices, not to silicon, and between libraries it is far off: of the
same RTL in several libraries, the measured ratio was 0.5 to 10 times the predicted one. The band is the
worst error that was seen at that distance; a test holds it to the committed costs of our own units.
"""

from __future__ import annotations

import math

from fpsim.estimate.band import Band

# nm: (a, b, c), and the supply that is taken where none is given (ours: common for the node)
FITS: dict[float, tuple[float, float, float]] = {
    180: (24.64, -17.98, 0.0),
    130: (7.171, -6.709, 2.904),
    90: (4.762, -4.781, 2.092),
    65: (3.755, -4.398, 1.975),
    45: (1.018, -0.3107, 0.1539),
    32: (0.8367, -0.4341, 0.1701),
    20: (0.373, -0.1582, 0.04104),
    16: (0.2958, -0.1241, 0.03024),
    14: (0.2363, -0.09675, 0.02239),
    10: (0.2068, -0.09311, 0.02375),
    7: (0.1776, -0.09097, 0.02447),
}
SUPPLIES: dict[float, float] = {
    180: 1.8, 130: 1.2, 90: 1.1, 65: 1.1, 45: 1.0, 32: 0.9, 20: 0.8, 16: 0.8, 14: 0.8, 10: 0.75, 7: 0.7,
}  # fmt: skip
# (ratio of the nodes up to which it holds, factor up and down): the largest errors that were seen, rounded up
ERRORS = ((1.5, 2.2), (7.0, 3.5), (math.inf, 11.0))


def scaled(
    energy: Band,
    from_node: float,
    to_node: float,
    *,
    from_voltage: float | None = None,
    to_voltage: float | None = None,
) -> Band:
    """An energy at another node, with the band of a guess.

    Args:
        energy: at `from_node`, in any unit.
        from_node, to_node: nm, 180 to 7; between the fitted nodes by the logarithm of both.
        from_voltage, to_voltage: supplies in V; None: a common one for the node.

    Returns:
        The band scaled, its ends moved out by the worst error seen at that distance: two times or more.

    Raises:
        ValueError: a node that the fit does not cover, or a supply that is not above 0.
    """
    factor = relative_energy(to_node, to_voltage) / relative_energy(from_node, from_voltage)
    distance = max(from_node, to_node) / min(from_node, to_node)
    error = next(worst for limit, worst in ERRORS if distance <= limit)
    return Band(energy.low * factor / error, energy.mid * factor, energy.high * factor * error)


def relative_energy(node: float, voltage: float | None = None) -> float:
    """Energy of one and the same circuit at a node and a supply, in the fit's own unit."""
    if not min(FITS) <= node <= max(FITS):
        raise ValueError(f"node={node}: the fit covers {min(FITS):g} to {max(FITS):g} nm")
    below = max(n for n in FITS if n <= node)
    above = min(n for n in FITS if n >= node)
    part = math.log(node / below) / math.log(above / below) if above > below else 0.0
    if voltage is None:
        voltage = SUPPLIES[below] + part * (SUPPLIES[above] - SUPPLIES[below])
    if voltage <= 0:
        raise ValueError(f"voltage={voltage}: expected a supply above 0 V")
    low, high = (a * voltage**2 + b * voltage + c for a, b, c in (FITS[below], FITS[above]))
    if min(low, high) <= 0:
        raise ValueError(f"voltage={voltage}: the fit of {node:g} nm does not reach down to it")
    return math.exp(math.log(low) + part * (math.log(high) - math.log(low)))
