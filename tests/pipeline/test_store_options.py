"""How stores are found and reached: options, credentials, libraries, plugins."""

from __future__ import annotations

import json
import os
import pickle
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from object_store import FolderStore, ObjectFolder

from pipeline.errors import InputError
from pipeline.store import credentials, files
from pipeline.store.options import StoreOptions, configure, for_engine, from_engine_options

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A user without credentials; the home folder. No metadata server outside is ever asked."""
    for name in list(os.environ):
        if name.startswith(("AWS_", "GOOGLE_", "GCE_", "CLOUDSDK_", "STORAGE_", "NO_GCE_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("GCE_METADATA_HOST", "127.0.0.1:1")
    monkeypatch.setenv("AWS_METADATA_ENDPOINT", "http://127.0.0.1:1")
    yield tmp_path
    configure(StoreOptions())


@pytest.fixture
def silent() -> Iterator[str]:
    """Host and port of a server that takes connections and never answers."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        yield f"127.0.0.1:{server.getsockname()[1]}"


def test_options_are_beams_and_ours() -> None:
    options = ["--project=P", "--region", "R", "--s3_endpoint_url", "http://h:1", "--no_auth"]
    options += ["--s3_region_name=r", "--s3_anonymous", "--s3_access_key_id=k", "--x", "-y"]
    options += ["--s3_secret_access_key=s", "--s3_session_token=t", "--gcs_endpoint=http://g"]
    found = from_engine_options(options)
    assert found == StoreOptions(
        s3_endpoint="http://h:1",
        s3_region="r",
        s3_anonymous=True,
        s3_access_key_id="k",
        s3_secret_access_key="s",
        s3_session_token="t",
        gcs_project="P",
        gcs_endpoint="http://g",
        gcs_anonymous=True,
    )
    assert pickle.loads(pickle.dumps(found)) == found
    assert "'s'" not in repr(found)
    ours = {"--s3_anonymous", "--gcs_endpoint=http://g"}
    assert for_engine(options) == [option for option in options if option not in ours]
    assert from_engine_options([]) == StoreOptions()
    with pytest.raises(InputError, match="--s3_region_name: expected one argument"):
        from_engine_options(["--s3_region_name"])


@pytest.mark.parametrize(
    ("path", "advice"),
    [
        ("gs://b/x", "run gcloud auth application-default login"),
        ("s3://b/x", "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"),
    ],
)
def test_without_credentials_that_is_said_at_once(
    path: str, advice: str, silent: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("google.cloud.storage" if path[:2] == "gs" else "obstore")
    configure(StoreOptions())
    for host in ("127.0.0.1:1", silent):
        monkeypatch.setenv("GCE_METADATA_HOST", host)
        monkeypatch.setenv("AWS_METADATA_ENDPOINT", f"http://{host}")
        with pytest.raises(InputError, match=f"there are no credentials for {path[:5]}.*{advice}"):
            files.stat(path)  # the library is imported here, before the clock starts
        start = time.monotonic()
        with pytest.raises(InputError):
            files.stat(path)
        assert time.monotonic() - start < 1


def test_amazon_keys_are_found_where_they_usually_are(
    nobody: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (nobody / ".aws").mkdir()
    (nobody / ".aws" / "config").write_text("[default]\nregion = eu-1\n[profile p]\nregion=eu-2\n")
    (nobody / ".aws" / "credentials").write_text(
        "[default]\naws_access_key_id = d\naws_secret_access_key = %x\n"
        "[p]\naws_access_key_id = p\naws_secret_access_key = y\naws_session_token = t\n"
    )
    keys = {"access_key_id": "d", "secret_access_key": "%x"}
    assert credentials.amazon_settings(StoreOptions()) == {"region": "eu-1", **keys}
    monkeypatch.setenv("AWS_PROFILE", "p")
    assert credentials.amazon_settings(StoreOptions()) == {
        "region": "eu-2",
        "access_key_id": "p",
        "secret_access_key": "y",
        "session_token": "t",
    }
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "e")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://e")
    assert credentials.amazon_settings(StoreOptions()) == {"region": "eu-2", "endpoint": "http://e"}
    given = StoreOptions("http://o", "o-1", False, "o", "s")
    own = {"access_key_id": "o", "secret_access_key": "s"}
    assert credentials.amazon_settings(given) == {"region": "o-1", "endpoint": "http://o", **own}
    nameless = credentials.amazon_settings(StoreOptions(s3_anonymous=True))
    assert nameless == {"region": "eu-2", "endpoint": "http://e", "skip_signature": True}
    (nobody / ".aws" / "credentials").write_text("key = 1\n")
    with pytest.raises(InputError, match=r"credentials is not valid"):
        credentials.amazon_settings(StoreOptions())


def test_google_credentials_are_found_where_they_usually_are(
    nobody: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("google.auth")
    user = {"type": "authorized_user", "client_id": "c", "client_secret": "s", "refresh_token": "r"}
    folder = nobody / ".config" / "gcloud"
    folder.mkdir(parents=True)
    (folder / "application_default_credentials.json").write_text(json.dumps(user))
    assert credentials.google_credentials(StoreOptions()).client_id == "c"
    assert type(credentials.google_credentials(StoreOptions(gcs_anonymous=True))).__name__ == (
        "AnonymousCredentials"
    )
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(nobody / "none.json"))
    with pytest.raises(InputError, match=r"not valid: File .*none\.json was not found"):
        credentials.google_credentials(StoreOptions())
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", "http://127.0.0.1:1")
    assert type(credentials.google_credentials(StoreOptions())).__name__ == "AnonymousCredentials"


@pytest.mark.parametrize(
    ("path", "library", "advice"),
    [
        ("gs://b/x", "google.cloud", "pip install google-cloud-storage"),
        ("s3://b/x", "obstore", "pip install obstore"),
    ],
)
def test_a_missing_library_is_said(
    path: str, library: str, advice: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    monkeypatch.delitem(sys.modules, f"pipeline.store.{'gcs' if path[:2] == 'gs' else 's3'}", False)
    configure(StoreOptions())
    with pytest.raises(InputError, match=f"{path[:5]} needs a library.*{advice}"):
        files.stat(path)


def test_a_client_is_imported_only_for_a_path_of_its_scheme() -> None:
    command = (
        "import sys; from pipeline.store.options import *; from pipeline.store import files;"
        "configure(from_engine_options(['--project=p'])); files.stat('/none');"
        "print({'google.cloud.storage', 'obstore', 'requests'} & set(sys.modules))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", command],
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stdout == "set()\n"


def test_an_installed_package_can_bring_a_store(object_folder: ObjectFolder) -> None:
    assert isinstance(files.store_of("obj://b/x"), FolderStore)
    with pytest.raises(InputError, match="there is no store for hdfs://; there are gs://, s3://"):
        files.store_of("hdfs://b/x")


def test_a_forked_process_has_stores_of_its_own(object_folder: ObjectFolder) -> None:
    store = files.store_of("obj://b/x")
    child = os.fork()
    if child == 0:
        os._exit(files.store_of("obj://b/x") is store)
    assert os.waitpid(child, 0)[1] == 0
    assert files.store_of("obj://b/x") is store
