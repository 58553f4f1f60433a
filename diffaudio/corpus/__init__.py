"""Stage 0, how corpora come to disk: what the recipes' `local/` share.

stage.py     the command line of local/data.py: make a corpus once, or check one that is there
download.py  files of a server: continued where they stopped, held against a checksum
debian.py    Debian packages: fetched by apt, read in place, with their credits
decode.py    recordings inside packages: bytes to mono samples
espeak.py    espeak-ng in this process: text to speech with chosen voice, speed and pitch
"""
