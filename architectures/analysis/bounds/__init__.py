"""Bounds of every value of a network, operation by operation."""
