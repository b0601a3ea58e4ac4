"""The built-in tasks: a folder for each family, its cards beside its builders. Cards load no data, no heavy library."""
