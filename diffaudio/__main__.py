"""`python -m diffaudio` is the command `diffaudio`."""

from diffaudio.bin.main import main

if __name__ == "__main__":
    main()
