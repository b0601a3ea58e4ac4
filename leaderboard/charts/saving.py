"""Charts as files: PNG and SVG for papers, HTML with switchable curves, all made offline."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.core.errors import InputError, suggest


def save(chart: Any, path: str | Path, *, ppi: int = 192) -> Path:
    """Write ``chart``; the file's ending decides how: ``.png``, ``.svg``, ``.html``, ``.pdf`` or ``.json`` (Vega-Lite).

    Args:
        chart: an Altair chart.
        path: the file; its folder is made.
        ppi: pixels per inch of a PNG (a chart's units are 1/72 inch).

    Raises:
        InputError: an unknown ending, or the file cannot be written.
    """
    target = Path(path)
    writer = _WRITERS.get(target.suffix.lower())
    if writer is None:
        raise InputError(
            f"cannot draw a {target.suffix or 'file without ending'}",
            where=str(target),
            hint=suggest(target.suffix, _WRITERS),
        )
    content = writer(chart, ppi)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    except OSError as error:
        raise InputError(
            f"the picture cannot be written: {error.strerror}", where=str(target), hint="choose another file"
        ) from None
    return target


def _png(chart: Any, ppi: int) -> bytes:
    import vl_convert

    return vl_convert.vegalite_to_png(_text(chart), vl_version=vega_lite_version(), ppi=ppi)


def _svg(chart: Any, ppi: int) -> bytes:
    import vl_convert

    return vl_convert.vegalite_to_svg(_text(chart), vl_version=vega_lite_version()).encode()


def _pdf(chart: Any, ppi: int) -> bytes:
    import vl_convert

    return vl_convert.vegalite_to_pdf(_text(chart), vl_version=vega_lite_version())


def _html(chart: Any, ppi: int) -> bytes:
    """One file that needs no network: the libraries are inside."""
    import vl_convert

    return vl_convert.vegalite_to_html(_text(chart), vl_version=vega_lite_version(), bundle=True).encode()


def _json(chart: Any, ppi: int) -> bytes:
    return _text(chart).encode()


def _text(chart: Any) -> str:
    """The chart in Vega-Lite; that charts keep to its schema is for tests to say, once, not for every picture."""
    text: str = chart.to_json(validate=False)
    return text


def vega_lite_version() -> str:
    """Vega-Lite's version as vl-convert names it: that of Altair's schema."""
    import altair

    return altair.SCHEMA_VERSION.removeprefix("v").rpartition(".")[0]


_WRITERS: dict[str, Callable[[Any, int], bytes]] = {
    ".png": _png,
    ".svg": _svg,
    ".pdf": _pdf,
    ".html": _html,
    ".json": _json,
}
