"""Sequences: computed ones and real time series."""
