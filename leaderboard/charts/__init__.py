"""Pictures of records, made by Altair and saved offline as PNG, SVG or HTML. Importing this loads no Altair."""

from leaderboard.charts.growth import growth_chart
from leaderboard.charts.saving import save

__all__ = ["growth_chart", "save"]
