"""Records of what was measured, the store that keeps them, and what is made of them: standings, charts, pages.

Knows numbers, not models: nothing here imports torch, and what is heavy is imported where it is used.
"""
