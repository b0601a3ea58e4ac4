"""Which runs were handed to W&B already, so that a resumed sweep sends only what is new or has changed."""

from __future__ import annotations

import json
from pathlib import Path

from bench.tracking.content.description import RunDescription


class Ledger:
    """A file of JSON lines, one a run that W&B took: its id, the mode and a digest of what it said.

    Lines are only added; the last one about a run counts. A damaged line (a crash while it was written) is
    skipped: its run is sent again, under the same id.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._taken: dict[tuple[str, str], str] = {}
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines() if path.exists() else []
        for line in lines:
            try:
                entry = json.loads(line)
                self._taken[entry["id"], entry["mode"]] = entry["digest"]
            except (ValueError, TypeError, KeyError):
                continue

    def holds(self, description: RunDescription, mode: str) -> bool:
        """Whether just this was taken, in this mode."""
        return self._taken.get((description.id, mode)) == description.digest()

    def add(self, description: RunDescription, mode: str) -> None:
        """Write down that W&B took ``description``.

        Raises:
            OSError: it cannot be written.
        """
        digest = description.digest()
        line = json.dumps({"id": description.id, "mode": mode, "digest": digest})
        with self._path.open("a+b") as file:
            file.seek(0, 2)
            if file.tell():
                file.seek(-1, 2)
                line = line if file.read(1) == b"\n" else f"\n{line}"
            file.write(f"{line}\n".encode())
        self._taken[description.id, mode] = digest
