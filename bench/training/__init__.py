"""Trains the members of a cell together: every seed at every learning rate."""
