"""architectures room."""
