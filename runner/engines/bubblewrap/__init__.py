"""The embedded engine: bubblewrap, with no daemon and no image, started in a few milliseconds."""

from runner.engines.bubblewrap.engine import BubblewrapEngine

__all__ = ["BubblewrapEngine"]
