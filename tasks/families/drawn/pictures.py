"""Pictures of 16×16 pixels with one channel, drawn from their quantity: a count, a length, a frequency, a diameter.

Every machine draws the same pictures. Numbers are drawn as integers, or as ``random()`` and then scaled in steps that
IEEE 754 rounds correctly; what goes through a cosine is rounded to grey levels of 1/256, far coarser than the last
bits in which processors differ.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

SIDE = 16  # pixels
CELLS = 5  # cells of 3×3 pixels to a side: a dot each, so that two never touch
MOST_DOTS = CELLS**2
HIGHEST_FREQUENCY = SIDE / 2  # cycles a picture: above it, the pixel grid shows a lower one in its place (Nyquist)
LEVELS = 256  # grey levels of a unit of intensity
NOISE = 12  # grey levels: noise of a pixel, to either side
FAINTEST = 0.25  # of the intensities of what is drawn; the brightest is 1

Picture = Callable[[np.random.Generator, np.ndarray], np.ndarray]
"""Draws clean pictures (n, 16, 16) that show the quantities (n,)."""


def between(draw: np.random.Generator, least: float, most: float, shape: int | tuple[int, ...]) -> np.ndarray:
    """Uniform numbers in [least, most). ``Generator.uniform`` may fuse its two steps on some processors, and not on
    others; this does not.
    """
    share = draw.random(shape)
    share *= most - least
    share += least
    return share


def noisy(draw: np.random.Generator, clean: np.ndarray) -> np.ndarray:
    """Images (n, 1, 16, 16) of ``clean`` ones (n, 16, 16): whole grey levels with noise of ±12 of them, as float32."""
    levels = np.rint(clean * LEVELS) + draw.integers(-NOISE, NOISE, clean.shape, endpoint=True)
    return np.asarray(levels[:, None] / LEVELS, dtype=np.float32)


def dots(draw: np.random.Generator, counts: np.ndarray) -> np.ndarray:
    """As many square dots as ``counts`` (n,) says, of 1 or 2 pixels to a side, each of an intensity of its own.

    Each lies in a cell of 3×3 pixels that it has to itself. As sizes and intensities differ, neither the mean nor the
    brightness of the picture tells how many there are.
    """
    number = len(counts)
    rank = draw.random((number, MOST_DOTS)).argsort(axis=1, kind="stable").argsort(axis=1, kind="stable")
    shown = rank < counts[:, None]
    intensity = np.where(shown, between(draw, FAINTEST, 1.0, shown.shape), 0.0)
    large = draw.random(shown.shape) < 0.5
    down, right = draw.integers(0, 2, (2, *shown.shape))
    cells = np.zeros((number, MOST_DOTS, 3, 3))
    for row in range(2):
        for column in range(2):
            filled = large | ((down == row) & (right == column))
            cells[:, :, row, column] = np.where(filled, intensity, 0.0)
    whole = cells.reshape(number, CELLS, CELLS, 3, 3).transpose(0, 1, 3, 2, 4).reshape(number, 3 * CELLS, 3 * CELLS)
    return np.asarray(np.pad(whole, ((0, 0), (1, 0), (1, 0))))  # the cells' last row and column are dark, too


def bars(draw: np.random.Generator, lengths: np.ndarray) -> np.ndarray:
    """A bar of ``lengths`` (n,) pixels, lying or upright, 1 to 3 pixels thick, anywhere; edges are antialiased."""
    number = len(lengths)
    thickness = between(draw, 1.0, 3.0, number)
    along, across = (draw.random(number) * (SIDE - extent) for extent in (lengths, thickness))
    intensity = between(draw, FAINTEST, 1.0, number)
    bar = _covered(along, lengths)[:, None, :] * _covered(across, thickness)[:, :, None]
    upright = draw.random(number) < 0.5
    return np.asarray(np.where(upright[:, None, None], bar.transpose(0, 2, 1), bar) * intensity[:, None, None])


def _covered(begin: np.ndarray, extent: np.ndarray) -> np.ndarray:
    """Share (n, 16) of each pixel that the interval from ``begin`` of length ``extent`` covers."""
    pixel = np.arange(SIDE)
    ends = np.minimum((begin + extent)[:, None], pixel + 1.0)
    return np.asarray(np.clip(ends - np.maximum(begin[:, None], pixel), 0.0, 1.0))


def gratings(draw: np.random.Generator, frequencies: np.ndarray) -> np.ndarray:
    """A·cos(2π(f·place + φ)) with f of ``frequencies`` (n,) cycles a picture, at any angle, phase and intensity A."""
    number = len(frequencies)
    turns, phase = draw.random((2, number, 1, 1))
    angle = np.pi * turns
    place = (np.arange(SIDE) + 0.5) / SIDE
    across = np.cos(angle) * place[None, None, :] + np.sin(angle) * place[None, :, None]
    intensity = between(draw, FAINTEST, 1.0, number)
    return np.asarray(intensity[:, None, None] * np.cos(2 * np.pi * (frequencies[:, None, None] * across + phase)))


def discs(draw: np.random.Generator, diameters: np.ndarray) -> np.ndarray:
    """A disc of ``diameters`` (n,) pixels that lies whole within the picture, with a soft edge a pixel wide."""
    number = len(diameters)
    middle = diameters / 2 + draw.random((2, number)) * (SIDE - diameters)
    offset = np.arange(SIDE) + 0.5 - middle[:, :, None]
    squares = np.square(offset[0])[:, :, None] + np.square(offset[1])[:, None, :]
    edge = np.clip((diameters / 2)[:, None, None] + 0.5 - np.sqrt(squares), 0.0, 1.0)
    return np.asarray(edge * between(draw, FAINTEST, 1.0, number)[:, None, None])
