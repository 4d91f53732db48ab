"""One operating-system process of the platform: builds the roles it was asked for, serves their health, stops cleanly.

Everything real is built here, from settings and the service's declaration; nothing is created when a module is imported.
"""

import asyncio
import gc
import signal
import socket
from contextlib import nullcontext
from typing import Protocol

import structlog
import uvicorn
from fastapi import FastAPI

from libs.events.topics import DECIDING_SERVICES, events_topic
from libs.runtime import failpoints, garbage
from libs.runtime import observability as metrics
from libs.runtime.errors import OperatorError, the_one_to_tell
from libs.runtime.kafka import Place
from libs.runtime.service import Service, load_services
from libs.runtime.settings import ROLES, Settings
from libs.runtime.tail import Tail
from libs.runtime.topics_admin import check_topics

log = structlog.get_logger()


class Role(Protocol):
    """One job of a process."""

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set, then close and return. Raising ends the process."""

    def ready(self) -> tuple[bool, str]:
        """Whether it is caught up and moving, and if not why; if so, what it waits for, or nothing."""


def run(settings: Settings, service: str, roles: set[str], port: int) -> None:
    """Run roles of a service (`all` for the projector of every service) until SIGTERM or SIGINT. Blocks.

    Raises OperatorError for unknown names and for whatever a person must mend.
    """
    unknown = roles - set(ROLES)
    if unknown or not roles:
        raise OperatorError(
            f"Unknown role {', '.join(sorted(unknown)) or '(none)'}: choose from {', '.join(ROLES)}."
        )
    services = load_services(settings.profile)
    if service == "all" and roles != {"projector"}:
        raise OperatorError(
            "`all` runs the projector of every service; other roles need the name of one service."
        )
    if service != "all" and service not in services:
        raise OperatorError(f"There is no service {service}: choose from {', '.join(services)} or all.")
    if "courier" in roles and services[service].courier is None:
        raise OperatorError(f"{service} has no courier: leave that role out.")
    chosen = list(services.values()) if service == "all" else [services[service]]
    metrics.BUILD.info(
        {
            "service": service,
            "roles": ",".join(sorted(roles)),
            "rules": str(max(s.rules for s in chosen)),
            "profile": settings.profile,
        }
    )
    # What was imported and built lives as long as the process: it is never walked again.
    gc.freeze()
    asyncio.run(_run(settings, chosen, roles, port))


async def _run(settings: Settings, services: list[Service], roles: set[str], port: int) -> None:
    failpoints.arm(settings.failpoints)
    if settings.failpoints:
        log.error("failpoints_armed", steps=settings.failpoints, what="this process will kill itself there")
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await check_topics(settings)
    tail = _tail(settings, services, roles)
    built, app = _build(settings, services, roles, tail)
    server = _server(app)
    try:
        async with asyncio.TaskGroup() as group:
            for name, role in built.items():
                group.create_task(_guard(name, role, stop))
            group.create_task(_guard("tail", tail, stop))
            group.create_task(garbage.walk(stop, lambda: all(role.ready()[0] for role in built.values())))
            group.create_task(_serve(server, stop, port))
    except ExceptionGroup as errors:
        raise the_one_to_tell(errors) from errors
    log.info("stopped")


def _build(
    settings: Settings, services: list[Service], roles: set[str], tail: Tail
) -> tuple[dict[str, Role], FastAPI]:
    """The roles by name, and the one HTTP application of the process. Roles are imported only where they run."""
    built: dict[str, Role] = {}
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    if "decider" in roles:
        from libs.runtime.decider import DeciderRole
        from libs.runtime.heads import HeadsRole

        decider = DeciderRole(settings, services[0], tail)
        built["decider"] = decider
        built["heads"] = HeadsRole(settings, services[0].name, decider.heads)
    if "policy" in roles:
        from libs.runtime.policies import PolicyRole

        built["policy"] = PolicyRole(settings, services[0], tail)
    if "projector" in roles:
        from libs.runtime.projector import ProjectorRole

        built["projector"] = ProjectorRole(settings, services)
    if "api" in roles:
        from libs.runtime.http import ApiRole

        api = ApiRole(settings, services[0], tail)
        built["api"], app = api, api.app
    if "courier" in roles and (courier := services[0].courier):
        built["courier"] = courier(settings)
    from libs.runtime.health import add_health

    add_health(app, built)
    return built, app


def _tail(settings: Settings, services: list[Service], roles: set[str]) -> Tail:
    """The one consumer of events for everything but the projector, which has Faust's."""
    sources = {
        service.name
        for service in services
        if roles & {"api", "decider"} and service.name in DECIDING_SERVICES
    }
    sources |= {source for service in services if "policy" in roles for source in service.policies}
    places = [
        Place(events_topic(source, settings.topic_prefix), partition)
        for source in sorted(sources)
        for partition in range(settings.partitions)
    ]
    return Tail(settings.require_kafka(), places, client_id="loanstream-tail")


async def _guard(name: str, role: Role | Tail, stop: asyncio.Event) -> None:
    """Run one role; whatever ends it, ends the others too."""
    log.info("role_started", name=name)
    try:
        await role.run(stop)
    finally:
        stop.set()


def _server(app: FastAPI) -> uvicorn.Server:
    config = uvicorn.Config(
        app, log_config=None, access_log=False, lifespan="off", timeout_graceful_shutdown=3
    )
    server = uvicorn.Server(config)
    # signals are handled here, once for all roles
    server.capture_signals = nullcontext  # type: ignore[method-assign,assignment]
    return server


async def _serve(server: uvicorn.Server, stop: asyncio.Event, port: int) -> None:
    """Serve on 127.0.0.1 until stopped. Raises OperatorError when the port is taken."""
    serving = asyncio.ensure_future(server.serve(sockets=[listen(port)]))
    await stop.wait()
    server.should_exit = True
    await serving


def listen(port: int) -> socket.socket:
    """A socket bound to a port of 127.0.0.1. Raises OperatorError when it is taken.

    Its connections send at once: asyncio sees to that only for sockets that name their protocol, and without it the
    second half of every answer waited 40 ms for the client's acknowledgement of the first.
    """
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        listener.bind(("127.0.0.1", port))
    except OSError as error:
        raise OperatorError(
            f"Port {port} is in use: stop what listens there, or choose another one ({error})."
        ) from error
    return listener
