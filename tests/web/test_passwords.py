"""Passwords are checked once, off the event loop, and never kept."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

import bcrypt
import pytest

from receiver.core.errors import TryLater
from receiver.web import passwords as module
from receiver.web.passwords import Passwords, is_hash
from tests.support.credentials import hashed
from tests.support.waiting import until

HASHES = {"anna": hashed("of anna"), "bert": hashed("of bert")}


@pytest.fixture
def passwords() -> Iterator[Passwords]:
    made = Passwords()
    yield made
    made.close()


@pytest.fixture
def checked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The threads on which bcrypt was asked."""
    threads: list[str] = []
    right = module._is_right

    def counting(password: str, against: str) -> bool:
        threads.append(threading.current_thread().name)
        return right(password, against)

    monkeypatch.setattr(module, "_is_right", counting)
    return threads


async def test_who_is_known_is_let_in_and_nobody_else(passwords: Passwords) -> None:
    async def good(user: str, password: str) -> bool:
        return await passwords.check(HASHES, user, password)

    assert await good("anna", "of anna")
    for user, password in (
        ("anna", "of bert"), ("bert", "of anna"), ("carl", "of anna"), ("carl", "of carl"),
        ("", "of anna"), ("", ""), ("anna", ""), ("anna", "of anna\0"), ("anna", "x" * 10_000),
    ):  # fmt: skip
        assert not await good(user, password), (user, password)
        assert not await good(user, password), "nor the second time"


async def test_a_check_is_made_once_on_another_thread(
    passwords: Passwords, checked: list[str]
) -> None:
    for password, outcome in (("of anna", True), ("wrong", False)):
        answers = [passwords.check(HASHES, "anna", password) for _ in range(20)]
        assert await asyncio.gather(*answers) == [outcome] * 20
        assert await passwords.check(HASHES, "anna", password) is outcome

    assert len(checked) == 2
    assert all(name.startswith("passwords") for name in checked)


async def test_a_new_hash_is_a_new_check(passwords: Passwords) -> None:
    assert await passwords.check(HASHES, "anna", "of anna")
    assert not await passwords.check({"anna": hashed("another")}, "anna", "of anna")
    assert not await passwords.check({"bert": HASHES["bert"]}, "anna", "of anna")


COSTS = {
    "anna": HASHES["anna"],
    "bert": HASHES["bert"].replace("$04$", "$05$"),
    "cleo": HASHES["bert"].replace("$04$", "$07$"),
}


@pytest.fixture
def rounds(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Of each bcrypt that was computed."""
    made: list[int] = []

    def counting(password: bytes, hashed: bytes) -> bool:
        made.append(2 ** int(hashed.split(b"$")[2]))
        return False

    monkeypatch.setattr(bcrypt, "checkpw", counting)
    return made


@pytest.mark.parametrize("name", [*COSTS, "nobody", "", "Anna"])
async def test_who_is_no_user_costs_what_any_user_does(
    passwords: Passwords, rounds: list[int], name: str
) -> None:
    """Whatever each user's own hash costs; else the time of an answer tells which names are users'."""
    assert not await passwords.check(COSTS, name, "a guess")

    assert sum(rounds) == 2**7


async def test_a_password_that_was_tried_for_one_name_is_new_for_another(
    passwords: Passwords, rounds: list[int]
) -> None:
    """So it always was for users; were it not for others, the second of those would be told at once."""
    for name in ("nobody", "somebody", "anna", "bert"):
        rounds.clear()
        for _ in range(2):
            assert not await passwords.check(HASHES, name, "a guess")

        assert len(rounds) == 1, name


async def test_what_nobody_has_is_no_password() -> None:
    """The hash that a name is checked against that is nobody's is a good one: it is computed."""
    nobodys = module._nobodys(4)

    assert is_hash(nobodys)
    assert not module._is_right("", nobodys)
    assert len(bcrypt.hashpw(b"x", nobodys.encode())) == 60


async def test_who_guesses_drives_out_nobody(
    passwords: Passwords, checked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_KEPT", 3)
    assert await passwords.check(HASHES, "anna", "of anna")
    for guess in range(10):
        assert not await passwords.check(HASHES, "anna", f"guess {guess}")
    assert await passwords.check(HASHES, "anna", "of anna")

    assert len(checked) == 11
    assert len(passwords._wrong) == 3


async def test_only_so_many_wait(passwords: Passwords, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST_WAITING", 2)
    go_on = threading.Event()
    monkeypatch.setattr(module, "_is_right", lambda password, against: go_on.wait(30))
    waiting = [asyncio.create_task(passwords.check(HASHES, "anna", f"{n}")) for n in range(2)]
    await until(lambda: len(passwords._running) == 2, "both to have begun")
    with pytest.raises(TryLater):
        await passwords.check(HASHES, "anna", "one more")
    waiting[0].cancel()
    go_on.set()

    assert await waiting[1]


async def test_the_password_itself_is_not_kept(passwords: Passwords) -> None:
    secret = "-".join(("a", "very", "peculiar", "secret"))
    assert not await passwords.check(HASHES, "anna", secret)
    await asyncio.sleep(0)

    (kept,) = passwords._wrong
    assert len(kept) == 64
    assert secret.encode() not in kept
    # Whoever reads the memory and not the key cannot try passwords against it.
    assert kept != Passwords()._digest("anna", HASHES["anna"], secret)
    assert secret not in repr(vars(passwords))


@pytest.mark.parametrize(
    ("text", "good"),
    [
        (HASHES["anna"], True),
        (HASHES["anna"].replace("$2b$", "$2y$"), True),
        (HASHES["anna"].replace("$04$", "$16$"), True),
        (HASHES["anna"].replace("$04$", "$17$"), False),
        (HASHES["anna"].replace("$04$", "$03$"), False),
        (HASHES["anna"][:-1], False),
        (HASHES["anna"] + "\n", False),
        ("a password", False),
    ],
)
def test_what_is_a_hash(text: str, good: bool) -> None:
    assert is_hash(text) is good
