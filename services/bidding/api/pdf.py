"""A text as a PDF: the very lines of it, set in Courier on A4, with its hash at the foot of every page.

Nothing in it but the text decides its bytes (no date, no id, no compression), so whoever makes it again makes the same file.
"""

from io import BytesIO
from typing import Final

import pydyf

MEDIA_TYPE: Final = "application/pdf"

_PAGE: Final = (595, 842)
_MARGIN: Final = 54
_SIZE: Final = 9
_LEADING: Final = 12
_FOOT: Final = 30
#: Courier is 0.6 of its size wide, and every letter of it is.
COLUMNS: Final = 90
_LINES: Final = (_PAGE[1] - 2 * _MARGIN) // _LEADING


def pdf_of(text: str, text_hash: str) -> bytes:
    """The document. Raises UnicodeEncodeError for a text that is not ASCII, which the font could not show."""
    text.encode("ascii")
    lines = [part for line in text.splitlines() for part in _wrapped(line)]
    pages = [lines[first : first + _LINES] for first in range(0, max(len(lines), 1), _LINES)]
    document = pydyf.PDF()
    font = pydyf.Dictionary(
        {
            "Type": "/Font",
            "Subtype": "/Type1",
            "BaseFont": "/Courier",
            "Encoding": "/WinAnsiEncoding",
        }
    )
    document.add_object(font)
    for number, page in enumerate(pages, 1):
        content = _page(page, f"SHA-256 {text_hash}   {number}/{len(pages)}")
        document.add_object(content)
        document.add_page(
            pydyf.Dictionary(
                {
                    "Type": "/Page",
                    "Parent": document.pages.reference,
                    "MediaBox": pydyf.Array([0, 0, *_PAGE]),
                    "Contents": content.reference,
                    "Resources": pydyf.Dictionary({"Font": pydyf.Dictionary({"F1": font.reference})}),
                }
            )
        )
    output = BytesIO()
    document.write(output)
    return output.getvalue()


def _wrapped(line: str) -> list[str]:
    return [line[first : first + COLUMNS] for first in range(0, max(len(line), 1), COLUMNS)]


def _page(lines: list[str], foot: str) -> pydyf.Stream:
    content = pydyf.Stream()
    content.begin_text()
    content.set_font_size("F1", _SIZE)
    content.move_text_to(_MARGIN, _PAGE[1] - _MARGIN)
    for line in lines:
        content.show_text_string(line)
        content.move_text_to(0, -_LEADING)
    content.end_text()
    content.begin_text()
    content.set_font_size("F1", _SIZE)
    content.move_text_to(_MARGIN, _FOOT)
    content.show_text_string(foot)
    content.end_text()
    return content
