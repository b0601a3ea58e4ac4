"""What the built-in families are made of."""
