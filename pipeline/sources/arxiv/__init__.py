"""arXiv bulk tars of LaTeX"""
