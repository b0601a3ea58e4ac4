"""``python -m farfield`` is the command ``farfield``."""

from bench.cli import entry

if __name__ == "__main__":
    entry()
