"""What an account remembers of its requests to the bank: all that wait for an answer, and the last ones that have theirs.

An account lives for years, and its state is encoded whole after every decision on it: ten thousand answers took a tenth of a
second each time. Whoever asks or answers again in the same words is known by his command's id, which the log keeps for good;
what is kept here tells another answer to a request from the first, for as long as a bank may still contradict itself.
"""

from libs.events.codec import record
from libs.events.money import PositiveFen

#: Answered requests of one kind that are kept (chosen): years of an ordinary customer's.
ANSWERS_KEPT = 100

#: Requests of one kind that may wait for the bank at the same time (chosen): so many that only a machine asks for more.
PENDING_MAX = 1_000


@record
class Answer:
    """The bank's answer to a finished request, kept to recognise it when it comes again."""

    request_id: str
    bank_reference: str
    amount_fen: PositiveFen
    succeeded: bool


@record
class Requests:
    """Requests to the bank of one kind: by id the amount of those that wait, and the last answers in their order."""

    pending: dict[str, PositiveFen]
    answered: tuple[Answer, ...]

    def is_known(self, request_id: str) -> bool:
        """Whether it waits, or was answered lately."""
        return request_id in self.pending or self.answer_to(request_id) is not None

    def is_full(self) -> bool:
        """Whether as many wait as may: nobody forgets one, because the bank may still book it."""
        return len(self.pending) >= PENDING_MAX

    def answer_to(self, request_id: str) -> Answer | None:
        """What the bank said, None where it has not, or so long ago that it is forgotten."""
        return next((answer for answer in self.answered if answer.request_id == request_id), None)


NO_REQUESTS = Requests(pending={}, answered=())


def with_request(requests: Requests, request_id: str, amount_fen: int) -> Requests:
    """One more waits for the bank."""
    return Requests(pending=requests.pending | {request_id: amount_fen}, answered=requests.answered)


def with_answer(requests: Requests, request_id: str, bank_reference: str, *, succeeded: bool) -> Requests:
    """One that waited has its answer; the oldest answer beyond those that are kept is forgotten."""
    answer = Answer(
        request_id=request_id,
        bank_reference=bank_reference,
        amount_fen=requests.pending[request_id],
        succeeded=succeeded,
    )
    left = {other: amount for other, amount in requests.pending.items() if other != request_id}
    return Requests(pending=left, answered=(*requests.answered, answer)[-ANSWERS_KEPT:])
