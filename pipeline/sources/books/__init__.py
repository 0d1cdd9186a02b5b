"""books (text files, archives of them, JSONL)"""
