"""GitHub's files: BigQuery's tables joined by keys, and local repositories with their licences."""
