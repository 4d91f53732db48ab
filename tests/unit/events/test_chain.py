"""The chain: what a reader accepts, what it calls a repeat, what is foreign, and how the hash is made."""

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from libs.events.chain import HASHED_HEADERS, ChainReader, Checkpoint, Reading, genesis, seal
from libs.events.records import RawRecord

GENESIS = genesis("00ff", "bidding.events", 2)


def record(head: Checkpoint, value: bytes = b"{}", *, offset: int = 0, **headers: bytes) -> RawRecord:
    """The next record after a head."""
    named = {"position": str(head.position + 1).encode(), **headers}
    digest = seal(head.hash, named, value)
    return RawRecord(offset, b"key", value, named | {"prev": head.hash, "hash": digest, "by": b"a"})


def test_genesis_depends_on_log_topic_and_partition() -> None:
    """No two partitions of any two logs start alike, so records cannot move between them."""
    heads = [
        genesis("00ff", "bidding.events", 2),
        genesis("00fe", "bidding.events", 2),
        genesis("00ff", "repayment.events", 2),
        genesis("00ff", "bidding.events", 1),
    ]
    assert len({head.hash for head in heads}) == 4
    assert all((head.offset, head.position) == (-1, -1) for head in heads)


def test_the_hash_is_the_stated_formula() -> None:
    """SHA-256(prev ‖ headers ‖ value), each header u32 length ‖ bytes, an absent one 0xFFFFFFFF."""
    headers = {"position": b"7", "command-id": b"abc", "rules": b"1", "traceparent": b"not under the hash"}
    absent = b"\xff\xff\xff\xff"
    content = bytes(32)
    content += b"\x00\x00\x00\x017" + absent + b"\x00\x00\x00\x03abc" + absent * 4 + b"\x00\x00\x00\x011"
    assert len(HASHED_HEADERS) == 8
    assert seal(bytes(32), headers, b"{}") == sha256(content + b"{}").digest()


def test_an_empty_header_is_not_an_absent_one() -> None:
    """Neither is one header's end the next one's beginning."""
    assert seal(b"", {"fingerprint": b""}, b"") != seal(b"", {}, b"")
    one, other = {"position": b"1", "command": b"23"}, {"position": b"12", "command": b"3"}
    assert seal(b"", one, b"") != seal(b"", other, b"")


def test_a_chain_is_accepted_link_by_link() -> None:
    """The head moves to each accepted record: its offset, position and hash."""
    reader = ChainReader(GENESIS)
    for offset in (0, 3, 4):
        raw = record(reader.head, offset=offset)
        assert reader.read(raw) is Reading.ACCEPTED
        assert reader.head == Checkpoint(offset, reader.next_position - 1, raw.headers["hash"])
    assert reader.next_position == 3


def test_a_lower_position_is_a_repeat_whatever_it_says() -> None:
    """Late copies and beaten decisions are harmless and move nothing."""
    reader = ChainReader(GENESIS)
    first = record(reader.head)
    other = record(reader.head, b"[]")
    assert reader.read(first) is Reading.ACCEPTED
    head = reader.head
    assert reader.read(first) is reader.read(other) is Reading.REPEAT
    assert reader.head == head


@pytest.mark.parametrize(
    ("changed", "value"),
    [
        ({"position": b"5"}, b"{}"),
        ({"position": b"-1"}, b"{}"),
        ({"position": b"one"}, b"{}"),
        ({"prev": b"0" * 32}, b"{}"),
        ({"hash": b"0" * 32}, b"{}"),
        ({"fingerprint": b"added"}, b"{}"),
        ({}, b"{ }"),
    ],
)
def test_what_does_not_fit_is_foreign(changed: dict[str, bytes], value: bytes) -> None:
    """A jump, no number, another link, a false hash, a changed header or value: not accepted, the head stays."""
    reader = ChainReader(GENESIS)
    raw = record(GENESIS)
    forged = replace(raw, headers={**raw.headers, **changed}, value=value)
    assert reader.read(forged) is Reading.FOREIGN
    assert reader.head == GENESIS
    assert reader.read(raw) is Reading.ACCEPTED


@pytest.mark.parametrize("missing", ["position", "prev", "hash"])
def test_a_record_without_its_chain_is_foreign(missing: str) -> None:
    """Somebody else's bytes on the topic never raise."""
    raw = record(GENESIS)
    headers = {name: content for name, content in raw.headers.items() if name != missing}
    assert ChainReader(GENESIS).read(replace(raw, headers=headers)) is Reading.FOREIGN


@given(st.binary(max_size=40), st.data())
def test_any_flipped_bit_is_found(value: bytes, data: st.DataObject) -> None:
    """In the value or in any header under the hash, whether a reader keeps hashes for others or not."""
    raw = record(GENESIS, value, command=b"c" * 32, fingerprint=b"f0", rules=b"1")
    fields = ["command", "fingerprint", "rules", *(["value"] if value else [])]
    field = data.draw(st.sampled_from(fields))
    content = bytearray(value if field == "value" else raw.headers[field])
    bit = data.draw(st.integers(0, len(content) * 8 - 1))
    content[bit // 8] ^= 1 << bit % 8
    forged = (
        replace(raw, value=bytes(content))
        if field == "value"
        else replace(raw, headers={**raw.headers, field: bytes(content)})
    )
    for alone in (False, True):
        reader = ChainReader(GENESIS, alone=alone)
        assert reader.read(forged) is Reading.FOREIGN
        assert reader.read(raw) is Reading.ACCEPTED


def test_a_checkpoint_survives_its_text() -> None:
    """Kafka's commit metadata keeps text."""
    head = Checkpoint(12, 7, bytes(range(32)))
    assert Checkpoint.from_text(head.as_text()) == head
    with pytest.raises(ValueError, match="not enough values"):
        Checkpoint.from_text("")
