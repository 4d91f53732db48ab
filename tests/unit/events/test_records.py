"""How a decision's record becomes the events that policies and an operator's tools read."""

from pydantic_core import to_json

from libs.events.records import RawRecord, encode_event, parse_decision, recorded_event, recorded_events
from libs.events.system import CommandHadNoEffect


def test_an_event_of_a_later_release_is_named_beside_those_that_can_be_read() -> None:
    """Every event has its address and what caused it; the one that cannot be decoded has no data, and its reason stands under its index."""
    known = encode_event(None, None, CommandHadNoEffect(command_type="bidding.PlaceBid", stream_id="acc_1"))
    later = to_json({"type": "bidding.Later.v1", "stream": "acc_1", "sequence": 1, "data": {}})
    head = b'{"at":null,"business_date":null,"principal":"usr_1","correlation_id":"c","causation_id":null,"events":['
    raw = RawRecord(
        7, b"acc_1", head + known + b"," + later + b"]}", {"command-id": b"c", "type": b"bidding.PlaceBid"}
    )

    events, undecodable = recorded_events(raw, service="bidding", partition=2, position=5)

    assert [event.address for event in events] == ["bidding/2/5/0", "bidding/2/5/1"]
    assert [event.type for event in events] == ["system.CommandHadNoEffect.v1", "bidding.Later.v1"]
    assert events[0] == recorded_event(
        parse_decision(raw.value),
        0,
        service="bidding",
        partition=2,
        position=5,
        command_id="c",
        command_type="bidding.PlaceBid",
    )
    assert events[1].data is None
    assert events[1].command_id == "c"
    assert {index: str(error) for index, error in undecodable.items()} == {
        1: "unknown event type bidding.Later.v1"
    }
