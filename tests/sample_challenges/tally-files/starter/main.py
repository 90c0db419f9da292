"""Counts the lines of files, one day."""
