"""``module(my_models.py:build)``: a network that exists already."""
