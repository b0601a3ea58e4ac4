"""What standings and comparisons say beyond their numbers: places, claims about tasks, what seeds can show."""
