"""A load generator for hostile services: latency from the intended start, every wait and every byte bounded."""

from graders.load.arrivals import arrivals
from graders.load.generator import closed_loop, open_loop
from graders.load.volley import Volley, percentile
from graders.load.workload import Ask

__all__ = ["Ask", "Volley", "arrivals", "closed_loop", "open_loop", "percentile"]
