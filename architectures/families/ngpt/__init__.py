"""nGPT: a transformer whose vectors and matrices stay on the unit sphere."""
