"""Scripts that measure FarField; they are not installed with it."""
