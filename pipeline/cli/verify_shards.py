"""`roving shards verify`: every byte of datasets against its checksum."""

from __future__ import annotations

import argparse

from pipeline.cli.visible import visible_line
from pipeline.errors import InputError
from pipeline.store import files
from pipeline.store.accounting import read_json
from pipeline.store.dataset import MANIFEST, no_manifest
from pipeline.store.verify_documents import verify_documents
from tokenizer.folder import tokenizer_identity
from tokenizer.shards.manifest import KIND, Manifest, TokenizerIdentity, different_tokenizers
from tokenizer.shards.verify import verify_tokens

DAMAGED = 1


def verify(parsed: argparse.Namespace, _: list[str]) -> int:
    """Check every dataset; the status says whether all are sound."""
    expected = tokenizer_identity(parsed.tokenizer) if parsed.tokenizer else None
    sound = True
    seen: list[tuple[str, TokenizerIdentity]] = []
    for folder in parsed.dataset:
        if _is_token_dataset(folder):
            report = verify_tokens(folder, expected)
            damage, manifest = list(report.damage), report.manifest
            summary = _summary(manifest) if manifest else ""
            if manifest is not None:
                seen.append((folder, manifest.tokenizer))
        else:
            damage = list(verify_documents(folder))
            summary = "a documents dataset"
        for one in damage:
            print(visible_line(str(one)))
        print(f"{folder}: DAMAGED" if damage else f"{folder}: sound, {summary}")
        sound = sound and not damage
    for folder, identity in seen[1:]:
        if identity != seen[0][1]:
            sound = False
            print(different_tokenizers(seen[0], (folder, identity)))
    return 0 if sound else DAMAGED


def _is_token_dataset(folder: str) -> bool:
    path = files.join(folder, MANIFEST)
    if not files.exists(path):
        raise InputError(no_manifest(folder))
    try:
        manifest = read_json(path)
    except ValueError:  # damaged: what else is there tells
        return not files.list_files(files.join(folder, "documents"))
    return isinstance(manifest, dict) and manifest.get("kind") == KIND


def _summary(manifest: Manifest) -> str:
    shards = [shard for split in manifest.splits.values() for shard in split]
    return (
        f"{sum(shard.tokens for shard in shards):,} tokens in "
        f"{sum(shard.documents for shard in shards):,} documents"
    )
