"""From files and tables to numbers."""
