"""What is tried, in this order. A scenario is a function that is given the world and raises where something is wrong."""

from . import confinement, faults, move, network, plugging, readers

ALL = [*plugging.ALL, *readers.ALL, *faults.ALL, *move.ALL, *network.ALL, *confinement.ALL]
