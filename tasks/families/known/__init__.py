"""Known functions: the truth is a formula."""
