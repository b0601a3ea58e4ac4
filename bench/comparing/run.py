"""One call for one's own table: runs schemes and baselines, concludes, writes one page."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from architectures import resolve
from bench.api import run
from bench.comparing.choice import Choice, choose
from bench.comparing.code import paste, reproduce
from bench.comparing.facts import facts_of, file_of
from bench.comparing.sentences import sentences
from bench.core.errors import InputError
from bench.plan.options import SweepOptions
from bench.plan.protocol import get_protocol
from bench.reporting import Printed
from bench.sweep.runner import Results, Watcher
from leaderboard.page.own_table import Page, write_own_table
from leaderboard.ranking.comparison import compare
from leaderboard.ranking.conclusion import Conclusion, conclude
from leaderboard.records.record import Record
from leaderboard.tables.grid import Grid, clean
from leaderboard.tables.rendering import conclusion_grid
from tasks import own_data
from tasks.families.own.options import MAHALANOBIS

if TYPE_CHECKING:
    pass

REFERENCE = "none"
SCHEMES = (REFERENCE, "layer@first", "layer@all", "rms@all", "clip@input")
BASELINES = ("mean", "ridge", "boosted-trees", "knn")
RULES = ("far_by", "far_where", "far_group")
PAGE_NAME = "compare.html"
MOST_LABEL = 60


@dataclass(frozen=True, repr=False)
class DataComparison(Printed):
    """What schemes and baselines do on one table.

    Attributes:
        schemes: the networks' schemes against ``none``.
        baselines: the baselines against the first network under ``none``; ``None`` where nothing can be compared.
        choice: what is recommended; it was chosen without the far rows. ``None`` where no network finished.
        said: the sentences that the page begins with.
        results: the records.
        page: the HTML file.
        code: Python that builds, trains and probes the recommended network.
    """

    schemes: Conclusion
    baselines: Conclusion | None
    choice: Choice | None
    said: tuple[str, ...]
    results: Results
    page: Path
    code: str

    def grids(self) -> list[Grid[Any]]:
        """The two conclusions, and what follows from them below the first."""
        first = conclusion_grid(self.schemes)
        facts = {**(first.facts or {}), "said": list(self.said)}
        grids: list[Grid[Any]] = [
            dataclasses.replace(
                first, notes=(*self.said, *(note for note in first.notes if note not in self.said)), facts=facts
            )
        ]
        return grids if self.baselines is None else [*grids, conclusion_grid(self.baselines)]


def compare_data(
    data: object,
    *,
    target: str,
    architectures: Sequence[str] | str = "mlp",
    norms: Sequence[str] | str = SCHEMES,
    seeds: int | str | Sequence[int] | None = None,
    protocol: str | None = None,
    out: str | Path = SweepOptions.out,
    save: str | Path | None = None,
    sweep: dict[str, Any] | None = None,
    watchers: Sequence[Watcher] = (),
    **table: str | float | None,
) -> DataComparison:
    """Compare the sensible norm schemes and the baselines on your own table, and write one page about it.

    Runs what is not finished yet, as :func:`bench.api.run` does (five seeds and the standard protocol, unless given).

    Args:
        data: path of a CSV or Parquet file, or a data frame.
        target: column to predict.
        architectures: networks; the first is the one that baselines are compared with.
        norms: schemes; ``none``, which all are compared with, is added where it is missing.
        seeds, protocol, out: as in :func:`bench.api.run`.
        save: the page; ``out/compare.html`` if not given.
        sweep: other keywords of :func:`bench.api.run`, such as ``{"workers": 4, "wandb": "disabled"}``.
        watchers: told of the sweep's course.
        table: options of :func:`tasks.own_data`: the far rule (Mahalanobis distance, unless one is given) and how the
            table is read.

    Returns:
        An object that prints as tables; ``said`` has the sentences, ``page`` the file, ``code`` what to paste.

    Raises:
        InputError: one line on what is wrong, where, and how to correct it.
    """
    if all(table.get(rule) is None for rule in RULES):
        table = {**table, "far_by": MAHALANOBIS}
    task = own_data(data, target=target, **table)
    nets = (architectures,) if isinstance(architectures, str) else tuple(architectures)
    schemes = tuple(dict.fromkeys((REFERENCE, *((norms,) if isinstance(norms, str) else norms))))
    if len(schemes) < 2:
        raise InputError("there is only one norm to compare", where="compare_data", hint="give a second norm scheme")
    results = run(
        tasks=[task],
        architectures=(*nets, *(name for name in BASELINES if name not in nets)),
        norms=schemes,
        seeds=seeds,
        protocol=protocol,
        out=out,
        watchers=watchers,
        **(sweep or {}),
    )
    loaded = task.load()
    label = _label(task.options)
    shown = [_called(record, label) for record in results.records]
    (first,) = [conclude(one) for one in compare(shown, "norm", REFERENCE)]
    main = resolve(nets[0]).name
    beside = _baselines(shown, main)
    choice = choose(results, first, task, main)
    said = sentences(shown, first, beside, choice, loaded)
    protocol_used = get_protocol(first.protocol)
    plugins = tuple(map(str, (sweep or {}).get("plugins", ())))
    code = paste(task, loaded, choice, protocol_used, plugins) if choice else ""
    settings = [("protocol", f"{first.protocol}: {protocol_used.summary}"), *protocol_used.settings()]
    settings.append(("seeds", ", ".join(map(str, sorted({record.key.seed for record in shown})))))
    page = Page(
        title=f"{clean(label)} far away",
        schemes=first,
        baselines=beside,
        chosen=(choice.architecture, choice.norm) if choice else None,
        validation=dict(choice.validation) if choice else {},
        said=said,
        facts=facts_of(task, loaded),
        code=code,
        command=reproduce(task, nets, schemes, first.protocol, seeds, out, plugins),
        protocol=first.protocol,
        settings=tuple(settings),
    )
    target_file = write_own_table(shown, page, save or Path(out) / PAGE_NAME)
    return DataComparison(first, beside, choice, said, results, target_file, code)


def _label(options: Any) -> str:
    """What tables and pictures call the task: the user's name for it, or target and file."""
    if options.name:
        return str(options.name)
    label = f"{options.target} of {file_of(options.path)}"
    return label if len(label) <= MOST_LABEL else label[: MOST_LABEL - 1] + "…"


def _called(record: Record, label: str) -> Record:
    """The record with a short name for its task."""
    return dataclasses.replace(record, key=dataclasses.replace(record.key, task=label))


def _baselines(records: Sequence[Record], network: str) -> Conclusion | None:
    """The baselines against ``network``, all under ``none``."""
    mine = [r for r in records if r.key.norm == REFERENCE and r.key.architecture in (network, *BASELINES)]
    if not any(r.key.architecture == network for r in mine):
        return None
    (found,) = [conclude(one) for one in compare(mine, "architecture", network)]
    return found
