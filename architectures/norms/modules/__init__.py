"""Torch modules of norm kinds that are more than a formula; their kinds import them on use."""
