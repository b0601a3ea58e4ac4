"""The board as one offline HTML page."""
