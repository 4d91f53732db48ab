"""Names, numbers, phones and cards of people stand in the vault, sealed, and nowhere else; and who is forgotten is gone.

Whatever the month of the whole platform (life.py) has written is searched: topics, database, logs, stores and metrics.
"""

import sys
from collections.abc import Iterator
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from uuid import uuid4

import pytest
from pymongo import MongoClient

from deploy.local.parts import Parts
from libs.runtime.kafka import LogWriter, Place
from libs.runtime.store import RocksStore
from tests.conftest import MakeSettings
from tests.e2e.life import Life
from tests.e2e.searching import Haystack, everything, search
from tests.e2e.town import Person, eventually
from tests.integration.chained_log import LOG_ID, make_topics

KINDS = {"topics", "mongo", "logs", "stores", "metrics"}
VAULT = ("vault", "vault_keys", "vault_index")


async def test_nobodys_name_or_number_is_anywhere(life: Life, parts: Parts, tmp_path: Path) -> None:
    """Every byte of every place is searched for what the vault holds of everybody: no hit. The search does look: it finds
    an id that is no secret in topics, database and stores, and words of their own in logs and metrics."""
    people = life.offices.residents
    secrets = [secret for resident in people for secret in resident.secrets]
    known = life.bea.person.subject
    where = everything(life.town.stack.settings, parts)
    found = await search(where, [*secrets, known, "loanstream_http", "uvicorn"], tmp_path)
    sys.stdout.write(f"{found.looked_at} texts, {found.bytes_read} bytes, {len(secrets)} secrets\n")
    assert [hit for hit in found.hits if hit[2] in secrets] == []
    assert found.kinds_with(known) >= {"topics", "mongo", "stores"}
    assert found.kinds_with("loanstream_http") == {"metrics"}
    assert found.looked_at.keys() == KINDS
    assert found.looked_at["metrics"] == 6


async def test_the_search_finds_what_is_planted(
    parts: Parts, make_settings: MakeSettings, tmp_path: Path
) -> None:
    """One person's name in a record's header, a nested field, a log, a store and a metric, and a hash of his phone in a
    record's value: found in each of them."""
    settings = make_settings(kafka=parts.kafka, mongo=parts.mongo, log_id=LOG_ID)
    name, phone = f"Zoë Planted{uuid4().hex[:8]}", "13911112222"
    await make_topics(settings)
    writer = LogWriter(settings.require_kafka(), client_id="planter")
    place = Place(f"{settings.topic_prefix}bidding.events", 0)
    await writer.start()
    try:
        hashed = sha256(phone.encode()).hexdigest().encode()
        await writer.send(place, key=b"k", value=hashed, headers={"by": name.encode()})
    finally:
        await writer.stop()
    with MongoClient[dict[str, Any]](settings.require_mongo()) as client:
        client[settings.mongo_database]["planted"].insert_one({"deep": [{"down": f"it was {name}"}]})
    logs = tmp_path / "logs"
    logs.mkdir()
    (logs / "service.log").write_text('{"event": "seen", "name": "' + name.replace("ë", "\\u00eb") + '"}')
    store = RocksStore(tmp_path / "stores" / "topic" / "0-abc")
    store.write({b"state": name.encode()})
    with _metrics(f'loanstream_seen{{who="{name}"}} 1') as address:
        where = Haystack(
            settings.require_kafka(),
            settings.topic_prefix,
            settings.require_mongo(),
            (settings.mongo_database,),
            (logs,),
            tmp_path / "stores",
            {"planted": address},
        )
        found = await search(where, [name, phone], tmp_path / "scratch")
    store.close()
    assert found.kinds_with(name) == KINDS
    assert found.kinds_with(phone) == {"topics"}


class _metrics:  # noqa: N801  # reads as a function where it is used
    """A server of one text."""

    def __init__(self, text: str) -> None:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.end_headers()
                self.wfile.write(text.encode())

            def log_message(self, *_args: Any) -> None:
                """Say nothing."""

        self._server = HTTPServer(("127.0.0.1", 0), Handler)

    def __enter__(self) -> str:
        Thread(target=self._server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{self._server.server_port}/"

    def __exit__(self, *_error: object) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def vault(life: Life) -> Iterator[dict[str, Any]]:
    """The vault's collections as the server has them."""
    settings = life.town.stack.settings
    with MongoClient[dict[str, Any]](settings.require_mongo()) as client:
        yield {name: client[settings.mongo_database][name] for name in VAULT}


def test_the_vault_holds_a_sealed_row_and_a_key_for_each(life: Life, vault: dict[str, Any]) -> None:
    """One row and one key per person, in collections of their own; a row is its owner, a revision and ciphertext."""
    for resident in life.offices.residents:
        if resident is life.gone:
            continue
        user = resident.person.subject
        assert vault["vault_keys"].count_documents({"_id": user}) == 1
        row = vault["vault"].find_one({"_id": user})
        assert row.keys() == {"_id", "sealed", "revision", "since_s"}
        assert isinstance(row["sealed"], bytes)
        assert not any(secret.encode() in row["sealed"] for secret in resident.secrets)


def test_who_is_forgotten_is_unreadable_for_ever(life: Life, vault: dict[str, Any]) -> None:
    """The erase drill over HTTP: key and row are gone, his reservations are free, his own page is 404, and a row that a backup
    brings back stays closed. Who owes something is not forgotten."""
    gone = life.gone.person
    page = f"/onboarding/users/{gone.subject}/person"
    owing = life.eve.person.post(f"/onboarding/users/{life.eve.person.subject}/erasure")
    assert owing.json()["type"] == "urn:loanstream:problem:has_exposure"
    eventually(lambda: _forgotten(gone, vault), within_s=150)
    assert gone.get(page).status_code == 404
    vault["vault"].insert_one(life.backup)
    assert gone.get(page).status_code == 404
    vault["vault"].delete_one({"_id": gone.subject})
    again = life.offices.without_a_token(
        "/onboarding/users", {"region": "CN-31", "name": "Somebody Else", "phone": life.gone.phone}
    )
    assert again.status_code == 201, again.text


def _forgotten(gone: Person, vault: dict[str, Any]) -> None:
    assert vault["vault_keys"].find_one({"_id": gone.subject}) is None
    assert vault["vault"].find_one({"_id": gone.subject}) is None
    assert vault["vault_index"].find_one({"user": gone.subject}) is None
