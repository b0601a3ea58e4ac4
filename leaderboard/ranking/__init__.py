"""From records to standings and comparisons."""
