"""The built-in families of networks: a folder each, with card, options, places and network."""
