"""The SQLite store of records."""
