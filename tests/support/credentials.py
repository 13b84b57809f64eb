"""What a client shows, and what the server knows of it."""

from __future__ import annotations

import base64

import bcrypt

# Always the same, as tests are called by what it gives; four is the least of rounds.
_SALT = b"$2b$04$abcdefghijklmnopqrstuu"


def hashed(password: str) -> str:
    """Return a bcrypt hash of *password* that costs as little as any."""
    return bcrypt.hashpw(password.encode(), _SALT).decode()


def basic(user: str, password: str) -> dict[str, str]:
    """Return the header of RFC 7617."""
    told = base64.b64encode(f"{user}:{password}".encode()).decode()
    return {"Authorization": f"Basic {told}"}


def bearer(token: str) -> dict[str, str]:
    """Return the header of RFC 6750."""
    return {"Authorization": f"Bearer {token}"}
