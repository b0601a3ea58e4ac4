"""Baselines that fit themselves."""
