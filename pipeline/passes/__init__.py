"""How passes run: engines, local workers, the frame around every pass, progress; stages, batches of
documents and what writes them. Beam is here.
"""
