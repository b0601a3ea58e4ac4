"""Records, the numbers they carry, and the store."""
