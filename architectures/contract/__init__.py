"""What any architecture must satisfy, as checks that anybody can run."""
