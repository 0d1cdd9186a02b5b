"""Wikipedia dumps (pages-articles as XML, also .bz2, .gz, .7z)"""
