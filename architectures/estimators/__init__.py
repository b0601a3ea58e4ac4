"""Baselines that fit themselves: a file each, with builder, options and registration.

Importing them loads no numerical library, so that lists are quick: what computes is imported where it is used.
"""
