"""Multilayer perceptrons, plain and residual."""
