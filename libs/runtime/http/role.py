"""The api role of a process: everything its routes need, connected while the process runs."""

import asyncio
from collections.abc import Mapping

from libs.events.chain import ChainReader, Checkpoint
from libs.events.topics import DECIDING_SERVICES
from libs.runtime.auth import TokenVerifier
from libs.runtime.checkpoint import resume_or_begin
from libs.runtime.http.access import Keys, require_declared
from libs.runtime.http.app import build_app
from libs.runtime.http.edge import CommandLog, Edge
from libs.runtime.http.router import ServiceRouter
from libs.runtime.kafka import LogReader, LogWriter, Place
from libs.runtime.mongo import Database, DatabaseError
from libs.runtime.outcomes import AnchorsUnavailable, Outcomes
from libs.runtime.service import Service
from libs.runtime.settings import Settings
from libs.runtime.sweeping import Sweep
from libs.runtime.tail import Tail
from libs.runtime.vault import Vault
from libs.runtime.views import Views

#: The one service that keeps personal data (design.md 2.10).
VAULT_OF = "onboarding"
USERS_VIEW = "onboarding.users"


class ApiRole:
    """Serves one service's routes. `app` can be served before `run`; it answers 503 until the process is connected."""

    def __init__(self, settings: Settings, service: Service, tail: Tail) -> None:
        if service.router is None:
            raise ValueError(f"{service.name} has no routes")
        router: ServiceRouter = service.router()
        self._settings = settings
        self._service = service.name
        self._versions = {view.name: view.version for view in service.views}
        self._tail = tail
        self._decides = service.name in DECIDING_SERVICES
        self._outcomes: Outcomes | None = None
        self.app = build_app(router)

    async def run(self, stop: asyncio.Event) -> None:
        """Connect, follow the service's decisions until `stop`, close. Raises OperatorError when it cannot go on."""
        settings = self._settings
        require_declared(self.app)  # again: the process may have added routes of its own
        keys = Keys(TokenVerifier.from_settings(settings), settings.bank_key())
        database = Database.connect(settings)
        commands = self._command_log()
        outcomes = self._outcomes = self._outcomes_of(database)
        vault = Vault.of(database, settings.fingerprint_secret()) if self._service == VAULT_OF else None
        views = Views(database, self._versions)
        self.app.state.edge = Edge(
            service=self._service,
            settings=settings,
            keys=keys,
            fingerprint_secret=settings.fingerprint_secret(),
            commands=commands,
            outcomes=outcomes,
            views=views,
            vault=vault,
        )
        sweeping = asyncio.ensure_future(self._sweep(vault, views, outcomes, stop))
        try:
            # a service that only reads takes no commands, so no decision is ever waited for
            await (outcomes.run(stop) if self._decides else stop.wait())
        finally:
            self.app.state.edge = None
            sweeping.cancel()
            await asyncio.gather(sweeping, return_exceptions=True)
            await commands.close()
            await database.close()

    async def _sweep(
        self, vault: Vault | None, views: Views, outcomes: Outcomes, stop: asyncio.Event
    ) -> None:
        if vault is not None:
            await Sweep(vault, views, self._service, USERS_VIEW, outcomes.commands_ends).run(stop)

    def ready(self) -> tuple[bool, str]:
        """Whether a request would be answered now, and why not."""
        if self._outcomes is None:
            return False, "starting"
        return self._outcomes.caught_up() if self._decides else (True, "")

    def _command_log(self) -> CommandLog:
        settings = self._settings

        def connect() -> LogWriter:
            return LogWriter(settings.require_kafka(), client_id=f"loanstream-api-{self._service}")

        return CommandLog(
            self._service, partitions=settings.partitions, topic_prefix=settings.topic_prefix, connect=connect
        )

    def _outcomes_of(self, database: Database) -> Outcomes:
        settings = self._settings

        def watch() -> LogReader:
            return LogReader(settings.require_kafka(), client_id=f"loanstream-api-{self._service}")

        name = f"api.{self._service}"
        home = f"the anchors named {name} in MongoDB"

        async def resume_at(place: Place, anchor: Checkpoint | None) -> ChainReader:
            return await resume_or_begin(
                settings.require_kafka(), settings.require_log_id(), place, anchor, home=home
            )

        return Outcomes(
            self._service,
            partitions=settings.partitions,
            topic_prefix=settings.topic_prefix,
            stall_s=settings.stall_s,
            follow=self._tail.reader,
            watch=watch,
            resume=resume_at,
            anchors=_Anchors(database, name),
            home=home,
        )


class _Anchors:
    """The tail's anchors in MongoDB, under one name for all processes of the service: any of their heads is a good one."""

    def __init__(self, database: Database, name: str) -> None:
        self._database = database
        self._name = name

    async def load(self, place: Place) -> Checkpoint | None:
        """See Anchors."""
        try:
            return await self._database.load_anchor(self._name, place)
        except DatabaseError as error:
            raise AnchorsUnavailable(str(error)) from error

    async def save(self, checkpoints: Mapping[Place, Checkpoint]) -> None:
        """See Anchors."""
        try:
            await self._database.save_anchors(self._name, checkpoints)
        except DatabaseError as error:
            raise AnchorsUnavailable(str(error)) from error
