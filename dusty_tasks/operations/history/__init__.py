"""What happened: read, explained, noted, and shown in one order of time."""
