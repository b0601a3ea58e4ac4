"""The built-in networks and those of others, a folder a family."""
