"""The commands, one module each: read the configuration, put parts together, call one function."""
