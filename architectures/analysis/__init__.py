"""What can be said of a network from its structure: its graph, prediction, certificate. Knows modules, no cards."""
