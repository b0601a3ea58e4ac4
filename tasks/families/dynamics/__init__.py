"""Physical systems: from how a system begins, where it ends."""
