"""`python -m diffaudio` is the command `diffaudio`."""

import sys

from diffaudio.bin.main import main

if __name__ == "__main__":
    sys.exit(main())
