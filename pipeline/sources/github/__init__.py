"""GitHub tables (BigQuery), or repositories"""
