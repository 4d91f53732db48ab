"""Every setting of the platform, documented in this one place.

A value comes from the environment (LOANSTREAM_<NAME>), else from the two files that `loanstream up` keeps in the data
directory, else from the default here. `run.env` holds the addresses of the running stack and goes away with it;
`identity.env` holds what must outlive a restart (log id, secrets), is readable by its owner only and never committed.
"""

import difflib
import json
import os
import re
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from libs.runtime import failpoints
from libs.runtime.env_file import owner_lives
from libs.runtime.errors import OperatorError

PREFIX = "LOANSTREAM_"
DEFAULT_DATA_DIR = Path(".loanstream")
#: The jobs that a process may have.
ROLES = ("api", "decider", "policy", "projector", "courier")
_HOST = re.compile(r"(\[[0-9A-Fa-f:.%]+\]|[^\s:,/@\[\]]+)(:(?P<port>[0-9]{1,5}))?")


class Settings(BaseSettings):
    """All settings. Frozen: a process reads them once and hands them on."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore", frozen=True, env_ignore_empty=True)

    # where things are
    kafka: str | None = Field(
        None, description="Kafka bootstrap servers, host:port[,host:port]. Unset: a local broker is started."
    )
    mongo: str | None = Field(
        None, description="MongoDB URI of a replica set. Unset: a local one-node replica set is started."
    )
    mongo_wait_ms: int = Field(
        5000, ge=1, description="Milliseconds after which a MongoDB that does not answer counts as away."
    )
    data_dir: Path = Field(
        DEFAULT_DATA_DIR, description="Directory of everything local: stores, parts, logs, secrets."
    )
    parts: Literal["local", "containers"] = Field(
        "local",
        description="Where Kafka and MongoDB come from when their addresses are unset: wheels, or a Docker engine.",
    )
    gateway_port: int = Field(
        0, ge=0, le=65535, description="Port of the gateway on 127.0.0.1; 0 takes a free one."
    )
    gateway: str | None = Field(None, description="Base URL of the running gateway. Written by `up`.")
    api_ports: dict[str, int] = Field(
        default_factory=dict,
        description="Port on 127.0.0.1 of each running process, by name. Written by `up`.",
    )
    min_free_mib: int = Field(
        1024, ge=0, description="Free disk space in MiB below which the local parts refuse to start."
    )

    # the log
    partitions: int = Field(
        4, ge=1, le=1024, description="Partitions of every topic; the same for all, constant for ever."
    )
    replication: int = Field(1, ge=1, description="Replication factor of every topic; production uses 3.")
    flush: bool = Field(
        True,
        description="On one node: whether a command is on the disk before it is acknowledged. Off only where the log is thrown "
        "away afterwards, as the demo's is: a power cut could then lose what was acknowledged.",
    )
    topic_prefix: str = Field(
        "", description="Put before every topic name, so that test runs can share a broker."
    )
    log_id: str | None = Field(
        None,
        pattern="^[0-9a-f]{32}$",
        description="128 random bits in hex that name this log; minted by `loanstream topics`.",
    )
    mongo_database: str = Field(
        "loanstream", min_length=1, max_length=38, description="MongoDB database of views and positions."
    )
    replica: str = Field(
        "r0",
        pattern="^[a-z0-9-]{1,32}$",
        description="Name of this replica, written as `by` on its decisions.",
    )
    replicas: Path | None = Field(
        None,
        description="JSON file of the table that gives each partition its active and its standby replica "
        "(libs/runtime/replicas.py); all replicas read the same. Unset: replicas.json in the data directory. Without a file "
        "this replica is active everywhere.",
    )
    take_over_s: float = Field(
        0.25,
        gt=0,
        description="Seconds for which commands wait and the chain does not move, after which a standby takes over; up to 30 % "
        "more by chance.",
    )

    policy_take_over_s: float = Field(
        2.0,
        gt=0,
        description="Seconds for which events wait and a policy group's commit does not move, after which a standby sends; up to "
        "30 % more by chance. Commits are a second apart.",
    )

    # rules
    profile: Literal["demo", "demo-30-days", "cn-p2p-2016"] = Field(
        "demo",
        description="Which dated tables of rule parameters decide (domain/profile.py). `demo` has no rate cap; `demo-30-days` is the same "
        "with overdue buckets from 1, 30, 60 and 90 days. A platform keeps the one that it began with.",
    )

    # deciding and answering
    max_unconfirmed: int = Field(
        2000, ge=1, description="Decisions sent and not yet read back, per partition."
    )
    max_unconfirmed_bytes: int = Field(16 * 1024 * 1024, ge=1, description="The same limit in bytes.")
    confirm_timeout_s: float = Field(
        5.0,
        gt=0,
        description="Seconds after which a decision neither accepted nor beaten makes its partition start over.",
    )
    decision_wait_s: float = Field(
        2.0, gt=0, description="Seconds the API waits for a decision before it answers 202."
    )
    stall_s: float = Field(
        2.0,
        gt=0,
        description="Seconds without progress while commands wait, after which the API answers 503.",
    )
    read_wait_s: float = Field(
        1.0, ge=0, description="Seconds a GET with a token waits for its view before it answers stale."
    )
    view_hold_ms: int = Field(
        25,
        ge=0,
        le=5000,
        description="Milliseconds for which the broker may hold events back from the views, so that several share a fetch and a "
        "transaction. A single event is visible so much later.",
    )

    # the custodian bank
    bank: str | None = Field(
        None,
        pattern="^https?://[^/?#]+$",
        description="Base URL of the custodian bank, to which the courier hands customers' top-ups and withdrawals. Unset: it hands "
        "nothing over, and only call-backs answer a request.",
    )
    bank_simulator: bool = Field(
        False,
        description="Whether a local stack starts the bundled bank simulator (`loanstream bank serve`); `bank` is its address then.",
    )
    bank_answer_s: float = Field(
        30.0,
        gt=0,
        description="Seconds after which the courier asks the bank what became of a request that it was handed and nobody has "
        "answered, and again after as many.",
    )
    bank_look_s: float = Field(
        0.5, gt=0, description="Seconds between two looks of the courier for open requests."
    )

    # who is who
    fingerprint_key: SecretStr | None = Field(
        None, description="Hex key of the HMAC over a request's body. Minted by `up`."
    )
    bank_secret: SecretStr | None = Field(
        None, description="Hex key of the custodian bank's call-back signature. Minted by `up`."
    )
    token_issuer: str = Field("loanstream-local", description="`iss` that bearer tokens must carry.")
    token_audience: str = Field("loanstream", description="`aud` that bearer tokens must carry.")
    token_public_key: Path | None = Field(
        None,
        description="PEM file of the RSA key that verifies tokens. Unset: token-public.pem in the data directory.",
    )
    token_private_key: Path | None = Field(
        None,
        description="PEM file of the development issuer's RSA key. Unset: token-private.pem in the data directory.",
    )

    # the proof outside Kafka
    heads_dir: Path | None = Field(
        None,
        description="Directory of the signed heads, one file a service; best on another disk than the broker's. Unset: heads in "
        "the data directory.",
    )
    heads_every_s: float = Field(
        60.0, gt=0, description="Seconds between signatures of a decider's heads: what a cut tail can hide."
    )
    heads_private_key: Path | None = Field(
        None,
        description="PEM file of the Ed25519 key that signs heads. Unset: heads-private.pem in the data directory.",
    )
    heads_public_key: Path | None = Field(
        None,
        description="PEM file of the Ed25519 key that checks them. Unset: heads-public.pem in the data directory.",
    )

    failpoints: str = Field(
        "",
        description="Steps at which this process kills itself, `name:nth,...` (libs/runtime/failpoints.py). Only for the faults.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="Lowest level that is logged."
    )

    @field_validator("kafka")
    @classmethod
    def _are_hosts(cls, value: str | None) -> str | None:
        """The clients would say no more than that a number is none."""
        return value if value is None else _require_hosts(value)

    @field_validator("failpoints")
    @classmethod
    def _are_failpoints(cls, value: str) -> str:
        """A misspelt one would never be reached, and the fault not injected."""
        failpoints.parse(value)
        return value

    @field_validator("mongo")
    @classmethod
    def _is_uri(cls, value: str | None) -> str | None:
        if value is None:
            return None
        scheme, found, rest = value.partition("://")
        if not found or scheme not in ("mongodb", "mongodb+srv"):
            raise ValueError("write it as mongodb://host:port/?replicaSet=name")
        _require_hosts(re.split(r"[/?]", rest, maxsplit=1)[0].rpartition("@")[2])
        return value

    @property
    def run_file(self) -> Path:
        """The file with the addresses of the running stack."""
        return self.data_dir / "run.env"

    @property
    def identity_file(self) -> Path:
        """The file with log id and secrets (mode 0600)."""
        return self.data_dir / "identity.env"

    @property
    def replicas_path(self) -> Path:
        """Where the table of replicas is; absent where one replica does everything."""
        return self.replicas or self.data_dir / "replicas.json"

    @property
    def token_public_path(self) -> Path:
        """Where the key is that verifies bearer tokens."""
        return self.token_public_key or self.data_dir / "token-public.pem"

    @property
    def token_private_path(self) -> Path:
        """Where the development issuer's key is; absent where somebody else issues tokens."""
        return self.token_private_key or self.data_dir / "token-private.pem"

    @property
    def heads_path(self) -> Path:
        """The directory of the signed heads."""
        return self.heads_dir or self.data_dir / "heads"

    @property
    def heads_private_path(self) -> Path:
        """Where the key is that signs heads."""
        return self.heads_private_key or self.data_dir / "heads-private.pem"

    @property
    def heads_public_path(self) -> Path:
        """Where the key is that checks them."""
        return self.heads_public_key or self.data_dir / "heads-public.pem"

    @property
    def logs_dir(self) -> Path:
        """Where local processes write their logs, one file each."""
        return self.data_dir / "logs"

    def require_kafka(self) -> str:
        """The bootstrap servers. Raises OperatorError when nothing runs and none are configured."""
        return self._required(self.kafka, "KAFKA", "the address of a Kafka broker")

    def require_mongo(self) -> str:
        """The MongoDB URI. Raises OperatorError when nothing runs and none is configured."""
        return self._required(self.mongo, "MONGO", "the URI of a MongoDB replica set")

    def require_log_id(self) -> str:
        """The log id. Raises OperatorError before `loanstream topics` has minted one."""
        return self._required(self.log_id, "LOG_ID", "the id that `loanstream topics` printed")

    def fingerprint_secret(self) -> bytes:
        """Key of the HMAC over request bodies. Raises OperatorError when unset."""
        return self._secret(self.fingerprint_key, "FINGERPRINT_KEY")

    def bank_key(self) -> bytes:
        """Key of the bank's call-back signature. Raises OperatorError when unset."""
        return self._secret(self.bank_secret, "BANK_SECRET")

    def environment(self) -> dict[str, str]:
        """The variables that give a child process these settings. Secrets stay in their file in the data directory."""
        plain = self.model_dump(mode="json", exclude={"fingerprint_key", "bank_secret"})
        plain["data_dir"] = str(self.data_dir)
        return {PREFIX + name.upper(): _as_text(value) for name, value in plain.items() if value is not None}

    @staticmethod
    def _required(value: str | None, name: str, what: str) -> str:
        if value is None:
            raise OperatorError(
                f"{PREFIX}{name} is not set and no local stack runs: start one with `loanstream up`, or set it to {what}."
            )
        return value

    def _secret(self, value: SecretStr | None, name: str) -> bytes:
        if value is None:
            raise OperatorError(
                f"The secret {PREFIX}{name} is missing: `loanstream up` mints one into {self.identity_file}, "
                "or set the variable to at least 32 hex digits."
            )
        try:
            key = bytes.fromhex(value.get_secret_value())
        except ValueError:
            key = b""
        if len(key) < 16:
            raise OperatorError(f"The secret {PREFIX}{name} must be at least 32 hex digits.")
        return key


def _require_hosts(value: str) -> str:
    """The same list, if each entry is host, host:port or [address]:port. Raises ValueError."""
    for entry in value.split(","):
        found = _HOST.fullmatch(entry.strip())
        if found is None or not 1 <= int(found["port"] or 1) <= 65_535:
            raise ValueError(f"{entry.strip()!r} is no host:port")
    return value


def load_settings(data_dir: Path | None = None, *, use_run_file: bool = True, **overrides: Any) -> Settings:
    """Settings of this process: `overrides`, then the environment, then the files of the data directory, then defaults.

    The file of addresses counts only while the stack that wrote it lives; `use_run_file=False` is for whoever starts a
    stack of its own. Relative paths are made absolute here, once. Raises OperatorError for a value that does not fit
    and for a variable with our prefix that is no setting, because a misspelt one would otherwise be ignored in silence.
    """
    _refuse_unknown_variables()
    directory = (data_dir or Path(os.environ.get(PREFIX + "DATA_DIR") or DEFAULT_DATA_DIR)).resolve()
    files = [directory / "identity.env"]
    try:
        if use_run_file and owner_lives(directory / "run.env"):
            files.append(directory / "run.env")
        return Settings(_env_file=files, **{**overrides, "data_dir": directory})
    except ValidationError as error:
        faults = "; ".join(
            f"{PREFIX}{str(fault['loc'][0]).upper()}: {fault['msg']}" for fault in error.errors()
        )
        raise OperatorError(f"The settings do not fit: {faults}.") from None
    except OSError as error:
        raise OperatorError(
            f"{error.filename} cannot be read ({error.strerror}): put that right, or set {PREFIX}DATA_DIR to another "
            "directory."
        ) from None


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _refuse_unknown_variables() -> None:
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    for name in os.environ:
        if name.startswith(PREFIX) and name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = (
                f" Did you mean {near[0]}?"
                if near
                else " The settings are listed in libs/runtime/settings.py."
            )
            raise OperatorError(f"The environment variable {name} is not a setting of Loanstream.{hint}")
