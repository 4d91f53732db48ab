"""Apache Kafka's jars from Maven Central through jgo, each checked against kafka.sha256 before it is ever run.

The list is complete on purpose: a jar too many or too few is as wrong as a changed one, because a resolver that mixes
versions (it happened: a stray BOM brought Jackson 2.19) would give a broker nobody tested.
`python -m deploy.local.kafka_jars --write` makes the list anew after a change of version.
"""

import fcntl
import hashlib
import sys
from pathlib import Path

from libs.runtime.errors import OperatorError

# The log4j binding is not a dependency of kafka_2.13 (the distribution adds it): without it a broker logs nothing, and a
# dead one cannot say why. "!" keeps its BOM from changing Kafka's own versions.
COORDINATES = "org.apache.kafka:kafka_2.13:4.3.0+org.apache.logging.log4j:log4j-slf4j-impl:2.25.4!"
HASHES = Path(__file__).with_name("kafka.sha256")


def kafka_class_path(hashes: Path = HASHES) -> list[Path]:
    """The verified jars, downloaded first where the Maven cache (M2_REPO, ~/.m2) lacks them.

    Raises OperatorError when the registry cannot be reached or a jar is not the one on the list.
    """
    jars = _resolve()
    verify(jars, hashes)
    return jars


def verify(jars: list[Path], hashes: Path) -> None:
    """Raises OperatorError unless `jars` are exactly the files that `hashes` (sha256sum format) lists."""
    wanted = {name: digest for digest, name in (line.split() for line in hashes.read_text().splitlines())}
    found = {jar.name: jar for jar in jars}
    extra, missing = sorted(found.keys() - wanted.keys()), sorted(wanted.keys() - found.keys())
    if extra or missing:
        raise OperatorError(
            f"The Kafka jars differ from {hashes}: not listed {extra or 'none'}, missing {missing or 'none'}. "
            "Nothing was started. If Kafka's version was changed on purpose, write the list anew: "
            "python -m deploy.local.kafka_jars --write"
        )
    for name, jar in sorted(found.items()):
        if _sha256(jar) != wanted[name]:
            raise OperatorError(
                f"{jar} is not the file that {hashes} names (a download cut short, or changed since). Nothing was started. "
                "Delete that file and start again; it is downloaded anew."
            )


def _resolve() -> list[Path]:
    # Imported here: jgo takes 0.3 s, and whoever only stops a stack should not wait for it.
    import jgo
    from jgo.constants import default_maven_repo

    cache = default_maven_repo()
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with (cache / ".loanstream.lock").open("w") as lock:  # jgo writes in place: one of us at a time
            fcntl.flock(lock, fcntl.LOCK_EX)
            return sorted(artifact.resolve() for artifact in jgo.resolve(COORDINATES))
    except PermissionError as error:
        raise OperatorError(
            f"{error.filename} cannot be written: give yourself the right to, or set M2_REPO."
        ) from None
    except (OSError, RuntimeError, ValueError) as error:
        raise OperatorError(
            f"Kafka's jars could not be fetched from Maven Central: {error}. They are needed once; check the network and start again."
        ) from error


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def main() -> None:
    """Fetch and verify (what `make` does ahead of the first start), or write the list with --write."""
    if "--write" in sys.argv[1:]:
        HASHES.write_text(
            "".join(f"{_sha256(jar)}  {jar.name}\n" for jar in sorted(_resolve(), key=lambda jar: jar.name))
        )
    sys.stdout.write(f"{len(kafka_class_path())} Kafka jars are complete and unchanged\n")


if __name__ == "__main__":
    try:
        main()
    except OperatorError as error:
        sys.exit(str(error))
