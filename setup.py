"""Packaging of diffaudio; tested versions are pinned in tools/constraints.txt."""

from setuptools import find_packages, setup

EXTRAS = {
    "score": [
        "pesq",
        "pystoi",
        "speechmos",
        "onnxruntime",
        "faster-whisper",
        "pyworld",
        "webrtcvad-wheels",
    ],
    "report": ["matplotlib", "tensorboard"],
    "corpus": ["av", "zstandard", "espeakng-loader"],
    "cluster": ["dask-jobqueue", "cryptography"],
    "dev": [
        "pytest",
        "pytest-xdist",
        "hypothesis",
        "jaxtyping",
        "librosa",
        "beartype",
        "ruff",
        "mypy",
        "import-linter",
        "types-PyYAML",
    ],
}

setup(
    name="diffaudio",
    version="0.1.0",
    description="Recipes for score-based audio models: diffusion, flow matching and bridges.",
    license="Apache-2.0",
    python_requires=">=3.10",
    packages=find_packages(include=["diffaudio", "diffaudio.*"]),
    package_data={
        "diffaudio": ["py.typed"],
        "diffaudio.score": ["*.html", "*.css", "*.js"],
        "diffaudio.text": ["*.tsv"],
    },
    install_requires=[
        "torch>=2.4",
        "torchaudio>=2.4",
        "accelerate>=1.0",
        "webdataset>=1.0",
        "soundfile>=0.12",
        "sentencepiece",
        "g2p-en",
        "inflect",
        "nltk",
        "jsonargparse[signatures]>=4.49",
        "safetensors>=0.4",
        "huggingface-hub>=0.25",
        "soxr>=0.5",
        "numpy>=1.26",
        "PyYAML>=6",
        "distributed",
        "tqdm",
    ],
    extras_require=EXTRAS,
    entry_points={"console_scripts": ["diffaudio=diffaudio.bin.main:main"]},
)
