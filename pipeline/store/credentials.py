"""Where the credentials for gs:// and s3:// are: looked for first, so that none is said at once.

The clients themselves wait for a metadata server that is not there, for up to 25 seconds.
"""

from __future__ import annotations

import configparser
import http.client
import os
import warnings
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pipeline.errors import InputError
from pipeline.store.options import StoreOptions

_SCOPE = "https://www.googleapis.com/auth/devstorage.read_write"
_METADATA_HOST = "169.254.169.254"
# Seconds for one answer of a metadata server, which is on the machine's own network.
_PATIENCE = 0.3
# What Google's machines, and containers on them, say they are.
_PRODUCT = Path("/sys/class/dmi/id/product_name")
# Where obstore itself finds keys: in the environment, or by a request that these name.
_AMAZON_OWN = (
    "AWS_ACCESS_KEY_ID",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
)


def google_credentials(options: StoreOptions) -> Any:
    """Credentials for Google Cloud Storage.

    Raises:
        InputError: there are none, or their file is not valid.
    """
    import google.auth  # noqa: PLC0415  (a library that only those need who have gs:// paths)
    from google.auth import compute_engine, credentials, exceptions  # noqa: PLC0415

    if options.gcs_anonymous or os.environ.get("STORAGE_EMULATOR_HOST"):
        return credentials.AnonymousCredentials()
    file = os.environ.get("GOOGLE_APPLICATION_CREDENTIALS") or _gcloud_file()
    if file:
        try:
            with warnings.catch_warnings():
                # The loader warns of files from others; this one is the user's own.
                warnings.simplefilter("ignore", DeprecationWarning)
                return google.auth.load_credentials_from_file(file, scopes=[_SCOPE])[0]
        except exceptions.GoogleAuthError as error:
            raise InputError(f"the credentials for gs:// are not valid: {error.args[0]}") from None
    if _on_google():
        return compute_engine.Credentials()
    raise InputError(
        "there are no credentials for gs://: run gcloud auth application-default login, set "
        "GOOGLE_APPLICATION_CREDENTIALS to a key's file, or give --gcs_anonymous for public data"
    )


def _gcloud_file() -> str | None:
    """The file of `gcloud auth application-default login`."""
    folder = Path(os.environ.get("CLOUDSDK_CONFIG", Path.home() / ".config" / "gcloud"))
    file = folder / "application_default_credentials.json"
    return str(file) if file.is_file() else None


def _on_google() -> bool:
    """Whether this is a machine of Google's, whose metadata server gives credentials."""
    if os.environ.get("NO_GCE_CHECK") == "true":
        return False
    host = os.environ.get("GCE_METADATA_HOST")
    if host is None and _PRODUCT.is_file() and _PRODUCT.read_text().startswith("Google"):
        return True
    return _answers(f"http://{host or _METADATA_HOST}")


def amazon_settings(options: StoreOptions) -> dict[str, Any]:
    """Settings of obstore's S3 store: endpoint, region, and keys where it does not find them.

    Raises:
        InputError: there are no keys.
    """
    profile = os.environ.get("AWS_PROFILE", "default")
    shared = _section("AWS_SHARED_CREDENTIALS_FILE", "credentials", profile)
    configured = _section(
        "AWS_CONFIG_FILE", "config", profile if profile == "default" else f"profile {profile}"
    )
    environment = os.environ
    region = (
        options.s3_region
        or environment.get("AWS_REGION")
        or environment.get("AWS_DEFAULT_REGION")
        or configured.get("region")
    )
    endpoint = (
        options.s3_endpoint
        or environment.get("AWS_ENDPOINT_URL_S3")
        or environment.get("AWS_ENDPOINT_URL")
    )
    settings: dict[str, Any] = {"region": region, "endpoint": endpoint}
    settings = {name: value for name, value in settings.items() if value}
    if options.s3_anonymous:
        return settings | {"skip_signature": True}
    if options.s3_access_key_id:
        return settings | _keys(
            options.s3_access_key_id, options.s3_secret_access_key, options.s3_session_token
        )
    if any(environment.get(name) for name in _AMAZON_OWN):
        return settings
    if "aws_access_key_id" in shared:
        return settings | _keys(
            shared["aws_access_key_id"],
            shared.get("aws_secret_access_key", ""),
            shared.get("aws_session_token", ""),
        )
    host = environment.get("AWS_METADATA_ENDPOINT", f"http://{_METADATA_HOST}")
    if environment.get("AWS_EC2_METADATA_DISABLED", "").lower() != "true" and _answers(host):
        return settings
    raise InputError(
        "there are no credentials for s3://: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY "
        "(aws configure export-credentials prints them for any login), run aws configure, or give "
        "--s3_anonymous for public data"
    )


def _keys(key_id: str, secret: str, token: str) -> dict[str, str]:
    keys = {"access_key_id": key_id, "secret_access_key": secret}
    return keys | ({"session_token": token} if token else {})


def _section(variable: str, name: str, section: str) -> dict[str, str]:
    """A section of one of the files that `aws configure` writes; empty where there is none."""
    file = Path(os.environ.get(variable, Path.home() / ".aws" / name))
    parser = configparser.RawConfigParser()
    try:
        parser.read(file)
    except configparser.Error as error:
        raise InputError(f"{file} is not valid: {error}") from None
    return dict(parser[section]) if parser.has_section(section) else {}


def _answers(url: str) -> bool:
    """Whether a metadata server answers, whatever it says; asked twice."""
    host = urlsplit(url).netloc
    for _ in range(2):
        connection = http.client.HTTPConnection(host, timeout=_PATIENCE)
        try:
            connection.request("GET", "/", headers={"Metadata-Flavor": "Google"})
            connection.getresponse()
        except (OSError, http.client.HTTPException):
            continue
        else:
            return True
        finally:
            connection.close()
    return False
