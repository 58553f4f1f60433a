"""From a trained model to audio: sets of a corpus, files of one's own, a portable folder.

spec.py     the section `decode`: sampler, weights, sizes
trained.py  a trained model put together from its folder, checked; batches and streams through it
texts.py    texts through a model that reads: audio, and when each symbol begins
slices.py   slices of a set as independent tasks
vocoder.py  what turns mels into sound: a model of our own, or
published.py  HiFi-GAN and Vocos as others publish them; hub.py fetches them
stage.py    the stage: checked before, recorded in decode.json after
chunks.py   sound of any length in bounded memory
stream.py   audio files as streams, at another rate, written whole or not at all
enhance.py  files and folders
generate.py, say.py, restore.py  from nothing, from a text, from what was measured of a sound
export.py   weights, configuration, front end, vocoder and model card in one folder
"""
