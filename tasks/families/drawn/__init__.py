"""Drawn images: dots, bars, gratings and discs, the same on every machine."""
