"""Submissions: a bundle that others can trust, and how it is verified (docs/verification.md)."""
