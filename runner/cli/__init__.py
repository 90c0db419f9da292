"""The command line: one file a command, which parses and prints; what it calls can be used as a library."""
