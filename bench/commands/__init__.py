"""The commands of ``farfield``, by topic. Modules here import nothing heavy before a command runs."""
