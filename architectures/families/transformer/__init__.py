"""Transformers: encoder, decoder and FT-Transformer."""
