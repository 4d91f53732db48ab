"""Who may download which paper, and that a paper is the one that was issued, in the same bytes wherever it is made."""

import base64
import os
import re
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import httpx
import pytest

from libs.events.onboarding import StaffAppointed
from libs.events.staff import staff_view
from services.bidding.api.pdf import COLUMNS, pdf_of
from services.bidding.app import build
from services.bidding.domain.contract_text import certificate_text, contract_text
from services.bidding.projections.papers import CONTRACTS
from tests.unit.bidding.paper_story import CONTRACT_VOID, ISSUED
from tests.unit.documents import documents, history, nested
from tests.unit.runtime.edge_world import World, running

ROOT = Path(__file__).resolve().parents[3]
CONTRACT, ANNS, CEMS = (
    "/bidding/contracts/loan_1.pdf",
    "/bidding/certificates/clm_1_1.pdf",
    "/bidding/certificates/clm_1_2.pdf",
)
CUSTOMER = ("loan:own", "claim:own")


@pytest.fixture
async def world(keys: Path) -> AsyncIterator[World]:
    """Bea's contract with Ann and Cem is issued; Liz is legal's, Ria is risk's."""
    async with running(build("demo"), keys) as running_world:
        for view, stream, event in (
            (CONTRACTS, "ctr_1", ISSUED),
            (
                staff_view("bidding"),
                "stf_liz",
                StaffAppointed(staff_id="stf_liz", roles=("legal",), region=None),
            ),
            (
                staff_view("bidding"),
                "stf_ria",
                StaffAppointed(staff_id="stf_ria", roles=("risk",), region=None),
            ),
        ):
            shown = documents(view, history(stream, event))
            running_world.views.documents.setdefault(view.name, {}).update(
                {doc: nested(doc, fields) for doc, fields in shown.items()}
            )
        yield running_world


async def get(world: World, path: str, subject: str, *scopes: str) -> httpx.Response:
    """Somebody asks for a paper."""
    return await world.http.get(path, headers=world.token(subject, *scopes))


def shown(pdf: bytes) -> list[str]:
    """The lines that a document shows, page by page, without the foot."""
    lines = []
    for page in re.findall(rb"stream\n(.*?)\nendstream", pdf, re.DOTALL):
        texts = re.findall(rb"^\((.*)\) Tj$", page, re.MULTILINE)
        lines += [re.sub(r"\\([()\\])", r"\1", text.decode("ascii")) for text in texts[:-1]]
    return lines


def problem(answer: httpx.Response) -> tuple[int, str]:
    """Status and code of a refusal."""
    return answer.status_code, answer.json()["type"].removeprefix("urn:loanstream:problem:")


async def test_the_parties_download_the_contract(world: World) -> None:
    """Borrower and lenders get the same bytes, each time; the document shows the text and its hash, and so do the headers."""
    first = await get(world, CONTRACT, "usr_bea", *CUSTOMER)
    assert (first.status_code, first.headers["content-type"]) == (200, "application/pdf"), first.text
    for who in ("usr_bea", "usr_ann", "usr_cem"):
        assert (await get(world, CONTRACT, who, *CUSTOMER)).content == first.content
    assert shown(first.content) == contract_text(ISSUED, "ctr_1").splitlines()
    assert f"SHA-256 {ISSUED.content_hash}".encode() in first.content
    assert first.headers["etag"] == f'W/"{ISSUED.content_hash}"'
    digest = base64.b64encode(sha256(first.content).digest()).decode()
    assert first.headers["repr-digest"] == f"sha-256=:{digest}:"


async def test_a_certificate_is_its_lenders_alone(world: World) -> None:
    """Ann downloads hers; Cem's, like one that does not exist, is not there for her, nor for the borrower."""
    hers = await get(world, ANNS, "usr_ann", *CUSTOMER)
    text = certificate_text(ISSUED, ISSUED.claims[0], "ctr_1", ISSUED.content_hash)
    assert shown(hers.content) == text.splitlines()
    assert hers.headers["etag"] == f'W/"{ISSUED.claims[0].certificate_hash}"'
    missing = await get(world, "/bidding/certificates/clm_1_3.pdf", "usr_ann", *CUSTOMER)
    assert problem(missing) == (404, "unknown_claim")
    for who, path in (("usr_ann", CEMS), ("usr_cem", ANNS), ("usr_bea", ANNS), ("usr_eve", ANNS)):
        assert (await get(world, path, who, *CUSTOMER)).content == missing.content
    assert (
        await get(world, "/bidding/certificates/clm_9_1.pdf", "usr_ann", *CUSTOMER)
    ).content == missing.content


async def test_a_contract_is_not_there_for_strangers(world: World) -> None:
    """Whoever is no party gets the answer for a loan that does not exist; without a fitting scope nobody gets in."""
    missing = await get(world, "/bidding/contracts/loan_9.pdf", "usr_bea", *CUSTOMER)
    assert problem(missing) == (404, "unknown_contract")
    for path in (CONTRACT, CONTRACT.removesuffix(".pdf")):
        assert (await get(world, path, "usr_eve", *CUSTOMER)).content == missing.content
        assert problem(await get(world, path, "usr_bea", "bid:own")) == (403, "forbidden_scope")


async def test_operators_and_legal_read_every_paper(world: World) -> None:
    """An operator by his scope, legal by his post; another post under the same scope does not."""
    for path in (CONTRACT, ANNS):
        assert (await get(world, path, "stf_ole", "operator")).status_code == 200
        assert (await get(world, path, "stf_liz", "papers")).status_code == 200
        assert (await get(world, path, "stf_ria", "papers")).status_code == 404


async def test_a_party_reads_the_text_and_its_own_certificates(world: World) -> None:
    """The text that is hashed is shown as it is; a lender sees his certificate, the borrower none, legal all."""
    for who, scopes, claims in (
        ("usr_ann", CUSTOMER, ["clm_1_1"]),
        ("usr_bea", CUSTOMER, []),
        ("stf_liz", ("papers",), ["clm_1_1", "clm_1_2"]),
    ):
        answer = await get(world, "/bidding/contracts/loan_1", who, *scopes)
        told = answer.json()
        assert sha256(told["text"].encode()).hexdigest() == told["content_hash"] == ISSUED.content_hash
        assert [each["claim_id"] for each in told["certificates"]] == claims


async def test_a_void_contract_is_marked_where_it_is_listed_and_stays_what_it_was(world: World) -> None:
    """Contract and certificates say since when they are void and for what; every document is the same as before, byte for byte."""
    before = [(await get(world, path, "usr_ann", *CUSTOMER)).content for path in (CONTRACT, ANNS)]
    told = (await get(world, "/bidding/contracts/loan_1", "usr_ann", *CUSTOMER)).json()
    assert (told["voided_on"], told["void_for"], told["certificates"][0]["is_void"]) == (None, None, False)
    shown = documents(CONTRACTS, history("ctr_1", ISSUED, CONTRACT_VOID))
    world.views.documents[CONTRACTS.name] |= {doc: nested(doc, fields) for doc, fields in shown.items()}
    told = (await get(world, "/bidding/contracts/loan_1", "usr_ann", *CUSTOMER)).json()
    assert (told["voided_on"], told["void_for"], told["knew"]) == ("2024-04-20", "fraud", [])
    assert [each["is_void"] for each in told["certificates"]] == [True]
    assert [(await get(world, path, "usr_ann", *CUSTOMER)).content for path in (CONTRACT, ANNS)] == before


async def test_a_lender_who_knew_is_told_so_and_nobody_else_is(world: World) -> None:
    """That the law does not protect him is said to himself, and to who reads every paper."""
    void = replace(CONTRACT_VOID, ground="illegal_purpose", knew=("usr_ann",))
    shown = documents(CONTRACTS, history("ctr_1", ISSUED, void))
    world.views.documents[CONTRACTS.name] |= {doc: nested(doc, fields) for doc, fields in shown.items()}
    for who, scopes, knew in (
        ("usr_ann", CUSTOMER, ["usr_ann"]),
        ("usr_bea", CUSTOMER, []),
        ("stf_ops", ("operator",), ["usr_ann"]),
    ):
        assert (await get(world, "/bidding/contracts/loan_1", who, *scopes)).json()["knew"] == knew


@pytest.mark.parametrize("change", [{"amount_fen": 1_000_51}, {"version": 1}], ids=["terms", "version"])
async def test_a_paper_that_is_not_the_issued_one_is_not_handed_out(
    world: World, change: dict[str, int]
) -> None:
    """Where the text does not have the hash that the log knows, the answer is a named problem and no document."""
    world.views.documents["bidding.contracts"]["loan_1"]["contract"] |= change
    for path in (CONTRACT, CONTRACT.removesuffix(".pdf"), ANNS):
        assert problem(await get(world, path, "usr_ann", *CUSTOMER)) == (500, "paper_differs")


def test_two_processes_make_the_same_bytes() -> None:
    """Whatever the hash seed of the process, a paper is the same file."""
    code = (
        "import sys; from tests.unit.bidding.paper_story import ISSUED\n"
        "from services.bidding.api.pdf import pdf_of\n"
        "from services.bidding.domain.contract_text import contract_text\n"
        "sys.stdout.buffer.write(pdf_of(contract_text(ISSUED, 'ctr_1'), ISSUED.content_hash))"
    )
    made = {
        subprocess.run(
            [sys.executable, "-c", code],
            cwd=ROOT,
            env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True,
            timeout=60,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert made == {pdf_of(contract_text(ISSUED, "ctr_1"), ISSUED.content_hash)}


def test_long_texts_are_set_whole() -> None:
    """A line that is too long goes on in the next, a page that is full on the next; what the font lacks is refused."""
    text = "(" + "x" * COLUMNS + "\\)\n" + "line\n" * 100
    pdf = pdf_of(text, "0" * 64)
    assert shown(pdf) == ["(" + "x" * (COLUMNS - 1), "x\\)", *["line"] * 100]
    assert pdf.count(b"/Type /Page\n") + pdf.count(b"/Type /Page/") == 2
    with pytest.raises(UnicodeEncodeError):
        pdf_of("保本", "0" * 64)
