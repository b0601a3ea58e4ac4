"""``farfield leaderboard``."""
import typer


def add_to(app: typer.Typer) -> None:
    """Add this module's commands."""
