"""Common Crawl WARC or WET files"""
