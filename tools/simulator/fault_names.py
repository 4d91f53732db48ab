"""The faults that the simulated world injects, by name: each is counted, and one that no seed ever injects proves nothing."""

from typing import Final

# --- the broker and the way to it ---------------------------------------------------------------------------------

FAILED: Final = "send failed, not stored"
VANISHED: Final = "send never answered, not stored"
NEVER_ANSWERED: Final = "send never answered, stored"
STORED_TOLD_FAILED: Final = "send told as failed, stored"
ANSWERED_LATE: Final = "send acknowledged late"
DUPLICATED: Final = "record stored twice"
STORED_AFTER_DEATH: Final = "record stored after its sender's death"
LOST_WITH_SENDER: Final = "record in flight lost with its sender"
BLIND: Final = "reader that sees the news late"
EVENTS_CUT: Final = "tail of an events partition lost"
COMMANDS_CUT: Final = "tail of a commands partition lost"
DECIDED_COMMANDS_LOST: Final = "decided commands lost, repaired by placeholders"
UNDECIDED_COMMANDS_LOST: Final = "acknowledged commands lost before they were decided"
COMMANDS_DISPLACED: Final = "commands at decided positions, appended again by a repair"

# --- deciders -----------------------------------------------------------------------------------------------------

DECIDER_DIED: Final = "decider died"
DECIDER_STARVED: Final = "decider died for want of memory"
DECIDER_FROZEN: Final = "replica frozen or slow to start"
ZOMBIE_DECIDER: Final = "dead decider that went on beside its successor"
STANDBY_TOOK_OVER: Final = "standby took over"
BOTH_DECIDE: Final = "standby took over from a replica that decides too"
NEWER_RULES: Final = "decider started under higher rules"
OTHER_DECISIONS: Final = "command refused by one release only"
STORE_STALE: Final = "store older than the last flush"
STORE_LOST: Final = "store lost"
STORE_OF_OTHER_STATES: Final = "store thrown away for states of another shape"
STORE_OF_LOST_TIMELINE: Final = "store newer than the log thrown away"

# --- policies, projector, people ----------------------------------------------------------------------------------

POLICY_DIED: Final = "policy group died"
POLICY_FROZEN: Final = "policy replica frozen or slow to start"
SENDER_TOOK_OVER: Final = "standby took over sending"
SENDER_STEPPED_DOWN: Final = "sender that saw another's commit stepped down"
BOTH_SEND: Final = "standby took over from a replica that sends too"
POLICY_STARTED_OVER: Final = "policy group in doubt started over"
ZOMBIE_POLICY: Final = "dead policy group that went on beside its successor"
COMMIT_OLDER: Final = "policy commit older than the last"
COMMITS_LOST: Final = "policy commits lost"
COMMIT_OF_LOST_TIMELINE: Final = "policy commit newer than the log"
PROJECTOR_DIED: Final = "projector died"
PROJECTOR_DIED_IN_BATCH: Final = "projector died between two views' transactions"
COMMITTED_UNKNOWN: Final = "transaction carried out, projector never told"
ABORTED_UNKNOWN: Final = "transaction not carried out, projector never told"
ZOMBIE_PROJECTOR: Final = "dead projector that went on beside its successor"
PROJECTOR_OVERTAKEN: Final = "transaction refused because the positions had moved"
DATABASE_RESTORED: Final = "view database restored to the past"
VIEW_OF_LOST_TIMELINE: Final = "view newer than the log built anew"
API_DIED: Final = "API process died"

ALL: Final = tuple(sorted(value for name, value in globals().items() if name.isupper()))
