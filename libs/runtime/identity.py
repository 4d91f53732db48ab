"""What a data directory is born with: secrets, the development issuer's key and the key that signs heads, minted once and kept for good.

They are files and not defaults so that no secret ever stands in the code, a commit or a process list.
"""

import fcntl
import os
import secrets
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from dotenv import dotenv_values
from pydantic import SecretStr

from libs.runtime.env_file import write_env_file
from libs.runtime.errors import OperatorError
from libs.runtime.settings import PREFIX, Settings


def ensure_identity(settings: Settings) -> Settings:
    """Mint what is missing and return the settings with it. Safe to call from several processes at once.

    Raises OperatorError when the data directory cannot be written.
    """
    try:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        with (settings.data_dir / "identity.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            kept = _kept(settings.identity_file)
            if "fingerprint_key" not in kept or "bank_secret" not in kept:
                kept = {"fingerprint_key": secrets.token_hex(32), "bank_secret": secrets.token_hex(32)} | kept
                _keep(settings.identity_file, kept)
            if not settings.token_public_path.exists():
                token_key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
                _keep_pair(token_key, settings.token_private_path, settings.token_public_path)
            if not settings.heads_public_path.exists():
                heads_key = ed25519.Ed25519PrivateKey.generate()
                _keep_pair(heads_key, settings.heads_private_path, settings.heads_public_path)
    except OSError as error:
        raise OperatorError(
            f"{error.filename} cannot be written ({error.strerror}): put that right, or set {PREFIX}DATA_DIR to another "
            "directory."
        ) from None
    update: dict[str, object] = {
        name: SecretStr(kept[name])
        for name in ("fingerprint_key", "bank_secret")
        if getattr(settings, name) is None
    }
    if settings.log_id is None and "log_id" in kept:
        update["log_id"] = kept["log_id"]
    return settings.model_copy(update=update)


def keep_log_id(settings: Settings, log_id: str) -> Settings:
    """Remember the log id beside the secrets, so that a later start on other data is refused instead of misread."""
    kept = _kept(settings.identity_file)
    if kept.get("log_id") != log_id:
        _keep(settings.identity_file, kept | {"log_id": log_id})
    return settings.model_copy(update={"log_id": log_id})


def _kept(path: Path) -> dict[str, str]:
    """The file's values by field name."""
    values = dotenv_values(path) if path.exists() else {}
    return {name.removeprefix(PREFIX).lower(): value for name, value in values.items() if value is not None}


def _keep(path: Path, kept: dict[str, str]) -> None:
    write_env_file(path, {PREFIX + name.upper(): value for name, value in kept.items()}, secret=True)


def _keep_pair(
    key: rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey, private_path: Path, public_path: Path
) -> None:
    """Write both halves of a new key; the private one is readable by its owner only."""
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    private_path.unlink(missing_ok=True)
    with os.fdopen(os.open(private_path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(pem)
    public_path.write_bytes(
        key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    )
