"""Pictures of records, made by Altair and saved offline as PNG, SVG or HTML. Importing this loads no Altair."""

from leaderboard.charts.bounds import bounds_chart
from leaderboard.charts.cells import lone_network
from leaderboard.charts.error import error_chart
from leaderboard.charts.far import FarSetData, far_chart
from leaderboard.charts.function import Points, function_chart
from leaderboard.charts.growth import growth_chart
from leaderboard.charts.pareto import pareto_chart
from leaderboard.charts.picture import PictureSet, task_chart
from leaderboard.charts.saving import save

__all__ = [
    "FarSetData",
    "PictureSet",
    "Points",
    "bounds_chart",
    "error_chart",
    "far_chart",
    "function_chart",
    "growth_chart",
    "lone_network",
    "pareto_chart",
    "save",
    "task_chart",
]
