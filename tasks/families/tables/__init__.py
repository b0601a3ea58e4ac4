"""Tables that packages ship or that lie in a folder."""
