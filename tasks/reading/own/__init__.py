"""How a user's own table is read: its file, its dialect, its columns."""
