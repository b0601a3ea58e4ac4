"""From a plan to records: runs what is not finished, and resumes where it stopped."""
