"""The replay's HTTP client sends every wish until the platform has decided it, always under the same key."""

from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from libs.runtime.auth import TokenVerifier
from libs.runtime.bank_signature import SIGNATURE_HEADER, TIMESTAMP_HEADER, is_signed
from libs.runtime.errors import OperatorError
from libs.runtime.identity import ensure_identity
from libs.runtime.settings import Settings, load_settings
from tools.replay.gateway import Gateway, ReplayFailed

Handler = Callable[[httpx.Request], httpx.Response]


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Settings with minted keys and an address that nothing listens on."""
    return ensure_identity(load_settings(tmp_path_factory.mktemp("data"), gateway="http://gateway"))


class Platform:
    """Answers requests from a list, one after the other, and keeps what it was asked."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self._answers: Iterator[httpx.Response | Exception] = iter(answers)
        self.asked: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """The next answer."""
        self.asked.append(request)
        answer = next(self._answers)
        if isinstance(answer, Exception):
            raise answer
        return answer


def _gateway(settings: Settings, platform: Handler) -> Gateway:
    client = httpx.AsyncClient(base_url="http://gateway", transport=httpx.MockTransport(platform))
    return Gateway(settings, client)


async def test_a_doubt_is_sent_again_with_the_same_key_and_body(settings: Settings) -> None:
    """After a 503, a 502 and a lost connection the same request is sent again, until it is answered."""
    platform = Platform(
        httpx.Response(503, json={"type": "commands_waiting"}),
        httpx.Response(502),
        httpx.ReadTimeout("lost"),
        httpx.Response(201, json={"id": "top_1"}),
    )
    async with _gateway(settings, platform) as gateway:
        answer = await gateway.post("usr_a", "/bidding/accounts/acc_a/top-ups", "1", {"amount_fen": 5})
    assert answer == {"id": "top_1"}
    assert len({(request.headers["Idempotency-Key"], request.content) for request in platform.asked}) == 1
    assert len(platform.asked) == gateway.requests == 4


async def test_a_command_that_is_only_stored_is_followed_and_asked_again(settings: Settings) -> None:
    """After a 202 the client looks at Location until the decision is shown, then asks again and gets the answer."""
    platform = Platform(
        httpx.Response(
            202, json={"id": "c1", "status": "pending"}, headers={"Location": "/bidding/commands/c1"}
        ),
        httpx.Response(404),
        httpx.Response(200, json={"id": "c1", "status": "pending"}),
        httpx.Response(200, json={"id": "c1", "status": "decided"}),
        httpx.Response(201, json={"id": "acc_a"}),
    )
    async with _gateway(settings, platform) as gateway:
        assert await gateway.post("usr_a", "/bidding/accounts", "open", {}) == {"id": "acc_a"}
    assert [request.url.path for request in platform.asked] == [
        "/bidding/accounts",
        *["/bidding/commands/c1"] * 3,
        "/bidding/accounts",
    ]


async def test_a_refusal_ends_the_replay_with_its_reason(settings: Settings) -> None:
    """What the platform refuses was planned wrongly: the error carries address, status and problem."""
    platform = Platform(httpx.Response(409, json={"type": "urn:loanstream:problem:insufficient_available"}))
    async with _gateway(settings, platform) as gateway:
        with pytest.raises(ReplayFailed, match=r"accounts was answered 409: .*insufficient_available"):
            await gateway.post("usr_a", "/bidding/accounts", "open", {})


async def test_what_does_not_exist_reads_as_none(settings: Settings) -> None:
    """A view that does not show something yet is no error."""
    async with _gateway(settings, Platform(httpx.Response(404))) as gateway:
        assert await gateway.read("usr_a", "/bidding/accounts/acc_a") is None


async def test_people_bring_tokens_and_the_bank_its_signature(settings: Settings) -> None:
    """Customers' requests carry a token of their own, those of staff the scopes of their post, who is nobody yet has none, and
    the bank's are signed."""
    platform = Platform(*[httpx.Response(200, json={})] * 4)
    client = httpx.AsyncClient(base_url="http://gateway", transport=httpx.MockTransport(platform))
    async with Gateway(settings, client, staff={"stf_a": ("risk",)}) as gateway:
        await gateway.read("usr_a", "/x")
        await gateway.read("stf_a", "/x")
        await gateway.post("", "/onboarding/users", "k", {})
        await gateway.bank("/bidding/bank/top-ups/acc_a/top_1", {"succeeded": True})
    verifier = TokenVerifier.from_settings(settings)
    user, risk = (
        verifier.verify(request.headers["Authorization"].removeprefix("Bearer "))
        for request in platform.asked[:2]
    )
    assert (user.subject, user.may("bid:own"), user.may("risk")) == ("usr_a", True, False)
    assert (risk.subject, {*risk.scopes}) == ("stf_a", {"risk"})
    newcomer, bank = platform.asked[2:]
    assert "Authorization" not in newcomer.headers
    assert "Authorization" not in bank.headers
    timestamp = bank.headers[TIMESTAMP_HEADER]
    assert is_signed(
        settings.bank_key(),
        bank.url.path,
        bank.content,
        timestamp=timestamp,
        claimed=bank.headers[SIGNATURE_HEADER],
        now=float(timestamp),
    )


def test_without_a_running_stack_the_replay_says_what_to_start(tmp_path: Path) -> None:
    """No gateway, no replay: the sentence names the two commands that start one."""
    with pytest.raises(OperatorError, match="loanstream up"):
        Gateway(load_settings(tmp_path))
