"""leaderboard room."""
