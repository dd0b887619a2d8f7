"""The demonstration that `make demo` runs: from an empty directory to a protected service that lets a client in."""
