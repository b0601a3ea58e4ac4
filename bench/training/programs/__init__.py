"""Three programs that compute the same training: chain, vmap and loop."""
