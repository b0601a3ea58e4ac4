"""Images: digits and faces."""
