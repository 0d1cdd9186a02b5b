"""How object stores are reached: endpoints, regions, keys, from the options given to an engine.

The names are Beam's own where it has one, so that `roving` and its engine reach the same store.
Nothing of a store's client is imported before a path of its scheme is met.
"""

from __future__ import annotations

import argparse
import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

from pipeline.errors import InputError
from pipeline.store.base import Store
from pipeline.store.files import register


@dataclass(frozen=True, slots=True)
class StoreOptions:
    """Where object stores are and how they are asked; empty: as the environment says.

    Attributes:
        s3_endpoint: URL of a store that speaks S3's protocol.
        s3_region: region of the buckets.
        s3_anonymous: requests are not signed.
        s3_access_key_id: else the usual places are looked at, as for the next two.
        s3_secret_access_key: belongs to it.
        s3_session_token: belongs to it, where the keys are temporary.
        gcs_project: that Google's client acts for.
        gcs_endpoint: URL of a store that speaks Google's JSON API.
        gcs_anonymous: requests carry no credentials.
    """

    s3_endpoint: str = ""
    s3_region: str = ""
    s3_anonymous: bool = False
    s3_access_key_id: str = ""
    s3_secret_access_key: str = field(default="", repr=False)
    s3_session_token: str = field(default="", repr=False)
    gcs_project: str = ""
    gcs_endpoint: str = ""
    gcs_anonymous: bool = False


# What a process knows that was told nothing.
BY_ENVIRONMENT = StoreOptions()


def from_engine_options(options: Sequence[str]) -> StoreOptions:
    """What the options of an engine say about stores; all others are passed over.

    Beam's: `--s3_endpoint_url`, `--s3_region_name`, `--s3_access_key_id`,
    `--s3_secret_access_key`, `--s3_session_token`, `--project`, `--no_auth`. Ours:
    `--s3_anonymous`, `--gcs_endpoint`, `--gcs_anonymous`.

    Raises:
        InputError: an option has no value, or one that it does not take.
    """
    return StoreOptions(**vars(_parse(_all_options(), options)[0]))


def without_stores(options: Sequence[str]) -> list[str]:
    """The options that say nothing about stores."""
    return _parse(_all_options(), options)[1]


def _all_options() -> argparse.ArgumentParser:
    parser = _own_options()
    for flag, name in (
        ("--s3_endpoint_url", "s3_endpoint"),
        ("--s3_region_name", "s3_region"),
        ("--s3_access_key_id", "s3_access_key_id"),
        ("--s3_secret_access_key", "s3_secret_access_key"),
        ("--s3_session_token", "s3_session_token"),
        ("--project", "gcs_project"),
    ):
        parser.add_argument(flag, dest=name, default="")
    parser.add_argument("--no_auth", dest="gcs_anonymous", action="store_true")
    return parser


def for_engine(options: Sequence[str]) -> list[str]:
    """The options without ours, which an engine would warn of."""
    return _parse(_own_options(), options)[1]


def _own_options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    parser.add_argument("--s3_anonymous", action="store_true")
    parser.add_argument("--gcs_anonymous", action="store_true")
    parser.add_argument("--gcs_endpoint", default="")
    return parser


def _parse(
    parser: argparse.ArgumentParser, options: Sequence[str]
) -> tuple[argparse.Namespace, list[str]]:
    try:
        return parser.parse_known_args(list(options))
    except argparse.ArgumentError as error:
        raise InputError(f"engine options: {error}") from None


def configure(options: StoreOptions) -> None:
    """Say how gs:// and s3:// are reached from this process."""
    register("gs", partial(_make, "gs", "gcs", "GcsStore", "google-cloud-storage", options))
    register("s3", partial(_make, "s3", "s3", "S3Store", "obstore", options))


def _make(scheme: str, module: str, name: str, package: str, options: StoreOptions) -> Store:
    try:
        kind: Callable[[StoreOptions], Store] = getattr(
            importlib.import_module(f"pipeline.store.{module}"), name
        )
    except ModuleNotFoundError as error:
        raise InputError(
            f"{scheme}:// needs a library that is not installed ({error.name}): "
            f"pip install {package}"
        ) from None
    return kind(options)
