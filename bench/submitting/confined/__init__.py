"""Runs code from outside where it can do little: layers of confinement, and a process that only trains and answers."""
