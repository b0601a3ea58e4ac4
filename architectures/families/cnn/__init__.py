"""Convolutional networks, plain and residual."""
