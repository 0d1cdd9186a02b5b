"""`python -m trainer`, for torchrun."""

import sys

from trainer.cli import main

sys.exit(main())
