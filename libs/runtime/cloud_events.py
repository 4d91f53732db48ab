"""CloudEvents 1.0 in JSON: the one form in which events and changes leave the platform (design.md 2.3)."""

from typing import Any

from pydantic import BaseModel, Field


class CloudEvent(BaseModel):
    """An event as CloudEvents 1.0 in JSON. In a view's stream `data` is what a GET shows, null when the document is gone."""

    specversion: str = "1.0"
    id: str = Field(description="In a stream: send it as Last-Event-ID to go on from here.")
    source: str
    type: str
    subject: str | None = Field(default=None, description="The document's name; none for `reset`.")
    time: str | None = None
    datacontenttype: str = "application/json"
    data: Any = None
