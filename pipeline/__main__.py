"""`python -m pipeline` is `roving`; kept to two lines because engines pickle `__main__`."""

import sys

from pipeline.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
