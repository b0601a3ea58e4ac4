"""What a worker takes over from the process that wants its work."""

from __future__ import annotations

import os
from dataclasses import dataclass


@dataclass(frozen=True)
class WorkerContext:
    """Working folder and environment variables.

    The fork server keeps those of the moment it was started; a notebook may have changed them since.
    """

    folder: str
    variables: dict[str, str]

    @classmethod
    def here(cls) -> WorkerContext:
        """Those of this process."""
        return cls(os.getcwd(), dict(os.environ))

    def enter(self) -> None:
        """Make them this process's."""
        os.chdir(self.folder)
        os.environ.clear()
        os.environ.update(self.variables)
