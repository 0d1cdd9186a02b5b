"""How passes run: engines, local workers, the frame around every pass, progress. Beam is here."""
