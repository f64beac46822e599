"""Worlds: stacks beside the base, made of what differs."""
