"""Engines: what makes sandboxes for untrusted code, and the parts they are made of."""
