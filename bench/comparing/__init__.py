"""Compares the sensible norm schemes and the baselines on somebody's own table, and says what to take."""
