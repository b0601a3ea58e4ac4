"""Norm schemes: kinds of norm, placements, and the layers that they put at sites."""
