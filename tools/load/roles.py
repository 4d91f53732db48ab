"""The platform as production runs it: a process per role, and two replicas of whoever decides or sends.

The API of a service carries the service's name, because the gateway finds it by that.
"""

from deploy.local.stack import COURIERS, ProcessPlan
from libs.runtime.replicas import Pair, ReplicaTable, save_table
from libs.runtime.settings import Settings

REPLICAS = ("r0", "r1")
VIEWS = ProcessPlan("views", "all", "projector")


def production(services: tuple[str, ...], *, apart: bool = True) -> tuple[ProcessPlan, ...]:
    """The processes of these services: `<s>` (api), `<s>-decider-<r>` and `<s>-policy-<r>` per replica, and `views`.

    The courier, where a service has one, runs beside each policy: two of them are harmless.

    `apart=False` puts a replica's decider and policy into one process `<s>-<r>`, which halves what two cores must run.
    """
    plans: list[ProcessPlan] = []
    for service in services:
        policy = "policy,courier" if service in COURIERS else "policy"
        plans.append(ProcessPlan(service, service, "api"))
        for replica in REPLICAS:
            if apart:
                plans += [
                    ProcessPlan(f"{service}-decider-{replica}", service, "decider", replica),
                    ProcessPlan(f"{service}-policy-{replica}", service, policy, replica),
                ]
            else:
                plans.append(ProcessPlan(f"{service}-{replica}", service, f"decider,{policy}", replica))
    return (*plans, VIEWS)


def write_table(settings: Settings) -> None:
    """Every partition is decided by the first replica, and the second one stands by."""
    active, standby = REPLICAS
    save_table(settings.replicas_path, ReplicaTable(version=1, default=Pair(active=active, standby=standby)))
