"""Vocoders that lie on the Hugging Face hub, `hf://OWNER/NAME`: downloaded once, then kept."""

from __future__ import annotations

from pathlib import Path

from diffaudio.log import Refusal, log

__all__ = ["FILES", "SCHEME", "downloaded"]

SCHEME = "hf://"
FILES = ("config.yaml", "pytorch_model.bin")


def downloaded(address: str) -> Path:
    """Return the folder that holds `FILES` of a repository of the hub.

    What was downloaded before is taken as it is, so the same address means the same weights until
    the hub's cache (`HF_HOME`) is emptied, and needs no network.

    Args:
        address: `hf://OWNER/NAME`, or `hf://OWNER/NAME@REVISION` for a commit, tag or branch.

    Raises:
        Refusal: the hub cannot be reached, or has no such repository, revision or files.
    """
    from huggingface_hub import hf_hub_download  # brings an HTTP client: only where it is asked for
    from huggingface_hub.errors import LocalEntryNotFoundError

    repository, _, revision = address.removeprefix(SCHEME).partition("@")

    def fetched(*, kept: bool) -> Path:
        paths = [
            hf_hub_download(repository, name, revision=revision or None, local_files_only=kept)
            for name in FILES
        ]
        return Path(paths[-1]).parent

    try:
        return fetched(kept=True)
    except LocalEntryNotFoundError:
        log.info("%s: downloading", address)
    except Exception as error:
        raise _refusal(address, repository, error) from error
    try:
        return fetched(kept=False)
    except Exception as error:  # the hub's client passes on whatever its HTTP client raises
        raise _refusal(address, repository, error) from error


def _refusal(address: str, repository: str, error: Exception) -> Refusal:
    reason = next(iter(str(error).splitlines()), "") or type(error).__name__
    return Refusal(
        f"{address}: cannot be had from the hub ({reason})",
        mend=f"check the address (hf://OWNER/NAME@REVISION) and the connection; or download "
        f"{' and '.join(FILES)} of {repository} elsewhere and name their folder",
    )
