"""What a W&B run says: made from records, as plain data."""
