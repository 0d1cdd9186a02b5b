"""Options and help of each command; nothing here imports what a command needs to run."""
