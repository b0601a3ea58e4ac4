"""The ground everybody stands on: errors, option grammar, registry, seeding (stdlib and numpy only)."""
