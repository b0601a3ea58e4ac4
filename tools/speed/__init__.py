"""How fast FarField is, measured side by side with what one would use instead: ``python -m tools.speed --help``."""
