"""The embedded default: store and bus in one SQLite file, or in memory."""
