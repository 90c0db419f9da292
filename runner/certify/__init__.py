"""Proves a challenge sound before anyone is judged by it: its sample solutions against its checks."""
