"""What the local parts refuse before they start anything: a sentence that says what to do."""

import socket
from pathlib import Path

import pytest

from deploy.local.containers import ContainerParts
from deploy.local.kafka import new_cluster_id
from deploy.local.kafka_jars import verify
from deploy.local.lock import STACK_LOCK, DirectoryLock, empty, require_unlocked
from deploy.local.parts import LocalParts, make_parts
from deploy.local.ports import choose, is_free, require_free
from deploy.local.supervisor import read_status
from libs.runtime.errors import OperatorError
from libs.runtime.settings import load_settings


def test_too_little_disk_space_is_refused_before_anything_starts(tmp_path: Path) -> None:
    """With less free space than the minimum no process is started and the sentence says how much is missing."""
    parts = LocalParts(tmp_path / "data", min_free_mib=1024, free=lambda _directory: 10 * 1024 * 1024)
    with pytest.raises(OperatorError, match=r"Only 10 MiB are free .* need 1024: free some space"):
        parts.start()
    assert not (tmp_path / "data" / "mongo").exists()


def test_a_refused_start_leaves_the_directory_unlocked(tmp_path: Path) -> None:
    """After a refusal the same directory can be tried again at once."""
    for _ in range(2):
        with pytest.raises(OperatorError, match="MiB are free"):
            LocalParts(tmp_path, min_free_mib=1024, free=lambda _directory: 0).start()


def test_a_fixed_port_in_use_is_refused_by_name() -> None:
    """The sentence names the port, what it was for, and the setting to change."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(
            OperatorError, match=rf"Port {port} for the gateway is in use: .*LOANSTREAM_GATEWAY_PORT"
        ):
            require_free(port, "gateway", "LOANSTREAM_GATEWAY_PORT")


def test_ports_are_kept_while_they_are_free(tmp_path: Path) -> None:
    """A second start uses the ports of the first, so that addresses stay; a port taken meanwhile is replaced."""
    first = choose(["kafka", "mongo"], tmp_path / "ports.json")
    assert choose(["kafka", "mongo"], tmp_path / "ports.json") == first
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", first["mongo"]))
        assert not is_free(first["mongo"])
        second = choose(["kafka", "mongo"], tmp_path / "ports.json")
    assert second["kafka"] == first["kafka"]
    assert second["mongo"] != first["mongo"]


@pytest.mark.parametrize("text", ["{", "[]", "\xff", '{"kafka": "x", "mongo": 0}'])
def test_a_broken_file_of_ports_is_written_anew(tmp_path: Path, text: str) -> None:
    """Ports of last time are a comfort: without them there are other ones."""
    (tmp_path / "ports.json").write_text(text, encoding="latin-1")
    first = choose(["kafka", "mongo"], tmp_path / "ports.json")
    assert choose(["kafka", "mongo"], tmp_path / "ports.json") == first


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "\xff", "{}"]
    + [
        f'{{"pid": {pid}, "created": 1.0, "phase": "{phase}"}}'
        for pid, phase in (('"x"', "ready"), (-1, "ready"), (10**30, "ready"), (1, "asleep"))
    ],
)
def test_a_broken_status_is_none(tmp_path: Path, text: str) -> None:
    """What no supervisor wrote is no status, and never a process to signal."""
    (tmp_path / "supervisor.json").write_text(text, encoding="latin-1")
    assert read_status(tmp_path) is None


def test_chosen_ports_differ_from_each_other(tmp_path: Path) -> None:
    """Two names never get the same port."""
    names = [f"p{number}" for number in range(50)]
    assert len(set(choose(names, tmp_path / "ports.json").values())) == len(names)


def test_a_second_stack_on_the_same_directory_is_refused(tmp_path: Path) -> None:
    """The sentence names the directory and the process that has it."""
    lock = DirectoryLock(tmp_path, STACK_LOCK)
    lock.take()
    try:
        with pytest.raises(
            OperatorError, match=r"already runs on .* \(process \d+\): stop it with `loanstream down`"
        ):
            require_unlocked(tmp_path)
    finally:
        lock.release()
    require_unlocked(tmp_path)


def test_a_directory_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    """A data directory below a file is a sentence with the setting to change, also for root."""
    (tmp_path / "file").write_text("")
    with pytest.raises(OperatorError, match=r"cannot be written .*LOANSTREAM_DATA_DIR"):
        require_unlocked(tmp_path / "file" / "data")


def test_a_cluster_id_is_never_taken_for_an_option() -> None:
    """Kafka's storage tool refuses an id that begins with a dash."""
    ids = {new_cluster_id() for _ in range(2000)}
    assert len(ids) == 2000
    assert {len(cluster_id) for cluster_id in ids} == {22}
    assert not any(cluster_id.startswith("-") for cluster_id in ids)


def test_only_a_data_directory_of_ours_is_ever_emptied(tmp_path: Path) -> None:
    """A directory that holds something else is left alone."""
    (tmp_path / "letters.txt").write_text("dear")
    with pytest.raises(OperatorError, match="is not empty and not ours"):
        empty(tmp_path)
    assert (tmp_path / "letters.txt").exists()


def test_emptying_a_data_directory_of_ours(tmp_path: Path) -> None:
    """What a stopped stack left is thrown away; a directory that does not exist is fine."""
    require_unlocked(tmp_path / "data")
    (tmp_path / "data" / "old").write_text("x")
    empty(tmp_path / "data")
    assert not (tmp_path / "data" / "old").exists()
    empty(tmp_path / "never")


def _jars(tmp_path: Path, **contents: str) -> list[Path]:
    jars = []
    for name, content in contents.items():
        jar = tmp_path / f"{name}.jar"
        jar.write_text(content)
        jars.append(jar)
    return jars


# sha256 of "a" and "b"
_HASHES = (
    "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb  one.jar\n"
    "3e23e8160039594a33894f6564e1b1348bbd7a0088d42c4acb73eeaed59c009d  two.jar\n"
)


def test_the_right_jars_pass(tmp_path: Path) -> None:
    """Exactly the listed files with the listed hashes are accepted."""
    (tmp_path / "sums").write_text(_HASHES)
    verify(_jars(tmp_path, one="a", two="b"), tmp_path / "sums")


@pytest.mark.parametrize(
    ("contents", "says"),
    [
        ({"one": "a", "two": "changed"}, r"two\.jar is not the file that .* names"),
        ({"one": "a"}, r"missing \['two\.jar'\]"),
        ({"one": "a", "two": "b", "three": "c"}, r"not listed \['three\.jar'\]"),
    ],
)
def test_wrong_jars_are_refused(tmp_path: Path, contents: dict[str, str], says: str) -> None:
    """A changed, a missing and an additional jar each stop the start and are named."""
    (tmp_path / "sums").write_text(_HASHES)
    with pytest.raises(OperatorError, match=says):
        verify(_jars(tmp_path, **contents), tmp_path / "sums")


def test_containers_without_an_engine_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """LOANSTREAM_PARTS=containers and no Docker engine: one sentence, and no silent use of something else."""
    monkeypatch.setenv("LOANSTREAM_PARTS", "containers")
    monkeypatch.delenv("LOANSTREAM_KAFKA", raising=False)
    monkeypatch.delenv("LOANSTREAM_MONGO", raising=False)
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/no.sock")
    parts = make_parts(load_settings(tmp_path / "data"))
    assert isinstance(parts, ContainerParts)
    with pytest.raises(
        OperatorError, match=r"needs a Docker engine and none answers .*unset LOANSTREAM_PARTS"
    ):
        parts.start()


def test_given_addresses_are_used_instead(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With LOANSTREAM_KAFKA and LOANSTREAM_MONGO set nothing is started, whatever LOANSTREAM_PARTS says."""
    monkeypatch.setenv("LOANSTREAM_KAFKA", "kafka.test:9092")
    monkeypatch.setenv("LOANSTREAM_MONGO", "mongodb://mongo.test")
    monkeypatch.setenv("LOANSTREAM_PARTS", "containers")
    parts = make_parts(load_settings(tmp_path / "data"))
    parts.start()
    try:
        assert (parts.kafka, parts.mongo) == ("kafka.test:9092", "mongodb://mongo.test")
        parts.check()
    finally:
        parts.stop()
