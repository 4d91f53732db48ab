"""The table of replicas: a versioned JSON file that says who decides each partition and who stands by.

It is configuration, and safety never rests on it: two replicas with two versions of it lose nothing but work. Without a
file the replica of these settings is active everywhere. A running process looks at it every second and takes a version
that is higher than its own; `loanstream rules --allow` writes the next one.

    {"version": 1, "default": {"active": "r0", "standby": "r1"},
     "partitions": {"bidding/0": {"active": "r1", "standby": "r0"}}, "rules_allowed": {"bidding": 3}}
"""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Self

import structlog
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from libs.events.topics import DECIDING_SERVICES
from libs.runtime.errors import OperatorError
from libs.runtime.replica_role import Assignment
from libs.runtime.restarts import wait
from libs.runtime.settings import Settings

log = structlog.get_logger()

#: Seconds between looks at the table.
TABLE_EVERY_S = 1.0

Replica = Annotated[str, Field(pattern="^[a-z0-9-]{1,32}$")]


class Pair(BaseModel):
    """Who decides, and who stands by."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    active: Replica
    standby: Replica | None = None


class ReplicaTable(BaseModel):
    """All of it. `rules_allowed` names, per service, the lowest rules that may follow higher ones in the log."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: int = Field(ge=0)
    default: Pair
    partitions: dict[str, Pair] = {}
    rules_allowed: dict[str, Annotated[int, Field(ge=0)]] = {}

    @model_validator(mode="after")
    def _names_what_there_is(self) -> Self:
        for name in self.partitions:
            service, _, number = name.partition("/")
            if service not in DECIDING_SERVICES or not number.isdigit():
                raise ValueError(f"{name} is no service/partition")
        for name in self.rules_allowed:
            if name not in DECIDING_SERVICES:
                raise ValueError(f"{name} decides nothing")
        return self

    def assignment(self, service: str, partition: int) -> Assignment:
        """What it says of one partition."""
        pair = self.partitions.get(f"{service}/{partition}", self.default)
        return Assignment(pair.active, pair.standby, self.rules_allowed.get(service))

    def allowing(self, service: str | None, rules: int) -> "ReplicaTable":
        """The next version, in which these rules may decide although the log has seen higher ones."""
        names = DECIDING_SERVICES if service is None else (service,)
        allowed = self.rules_allowed | dict.fromkeys(names, rules)
        return self.model_copy(update={"version": self.version + 1, "rules_allowed": allowed})


def load_table(settings: Settings) -> ReplicaTable:
    """The table in force. Raises OperatorError for a file that cannot be read or does not fit."""
    path = settings.replicas_path
    try:
        return ReplicaTable.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return ReplicaTable(version=0, default=Pair(active=settings.replica))
    except ValidationError as error:
        faults = "; ".join(
            f"{'.'.join(str(part) for part in fault['loc']) or 'the file'}: {fault['msg']}"
            for fault in error.errors()
        )
        raise OperatorError(f"The table of replicas {path} does not fit: {faults}.") from None
    except OSError as error:
        raise OperatorError(f"The table of replicas {path} cannot be read ({error.strerror}).") from None


async def watch_table(
    settings: Settings, table: ReplicaTable, stop: asyncio.Event, take: Callable[[ReplicaTable], None]
) -> None:
    """Let somebody take each version higher than `table` until stopped; one that does not fit changes nothing."""
    told = ""
    while not stop.is_set():
        await wait(stop, TABLE_EVERY_S)
        try:
            found = load_table(settings)
        except OperatorError as error:
            if str(error) != told:
                told = str(error)
                log.error("replica_table_ignored", cause=told)
            continue
        if found.version > table.version:
            table = found
            log.info("replica_table", version=table.version)
            take(table)


def save_table(path: Path, table: ReplicaTable) -> None:
    """Replace the file in one step: a process that looks at it meets the old one or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(path.name + ".new")
    draft.write_text(table.model_dump_json(indent=2) + "\n", encoding="utf-8")
    draft.replace(path)
