"""What happened to the containers of a stack, and why: events, lives, causes, the journal, the timeline."""
