"""Tables for terminals, Markdown, CSV and JSON."""
