"""Rows, far sets and standardized tasks, and the geometry of distance."""
