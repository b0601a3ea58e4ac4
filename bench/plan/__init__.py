"""What is to be run: protocols, suites, cells and jobs, and in which order."""
