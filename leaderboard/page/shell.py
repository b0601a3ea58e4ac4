"""What every page shares: templates, charts that are drawn without a network, and the policy that fetches nothing.

Everything from records passes through Jinja's escaping, and a page's Content-Security-Policy lets only its own script
run and nothing be fetched.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from bench.core.errors import InputError


@dataclass(frozen=True)
class Chart:
    """A chart of a page; ``spec`` is its Vega-Lite."""

    number: int
    title: str
    text: str
    spec: dict[str, Any]


def rendered(template: str, charts: Sequence[Chart], **values: Any) -> str:
    """The page made from ``template`` with ``values``, its charts and its script."""
    script = _template_text("page.js")
    page: str = (
        _environment()
        .get_template(template)
        .render(charts=charts, blob=_blob(charts), script=_safe(script), script_hashes=_safe(_hash(script)), **values)
    )
    return page


def written(text: str, path: str | Path) -> Path:
    """Write a page.

    Raises:
        InputError: the file cannot be written.
    """
    target = Path(path)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(
            f"the page cannot be written: {error.strerror}", where=str(target), hint="choose another file"
        ) from None
    return target


def _blob(charts: Sequence[Chart]) -> str:
    """Library and charts, compressed: three times smaller, and the page stays below a megabyte."""
    content = {"library": _library() if charts else "", "charts": {str(c.number): c.spec for c in charts}}
    return base64.b64encode(gzip.compress(json.dumps(content, allow_nan=False).encode(), mtime=0)).decode()


@cache
def _library() -> str:
    import vl_convert

    from leaderboard.charts.saving import vega_lite_version

    return vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;", vl_version=vega_lite_version())


def _template_text(name: str) -> str:
    return resources.files("leaderboard.page").joinpath("templates", name).read_text(encoding="utf-8")


def _environment() -> Any:
    import jinja2

    return jinja2.Environment(
        loader=jinja2.FunctionLoader(_template_text),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _safe(text: str) -> Any:
    """Our own text, which is not escaped."""
    import markupsafe

    return markupsafe.Markup(text)


def _hash(script: str) -> str:
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return f"'sha256-{digest}'"
