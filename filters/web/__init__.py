"""Web pages: what a browser would show of one, block by block, and which blocks are its text."""
