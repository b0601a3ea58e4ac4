"""What can be said of a network without running it: description, prediction, certificate."""
