"""Published results: the format they travel in, the entries that come with FarField, and how one's own agree."""
