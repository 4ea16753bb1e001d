"""Argon2id: its cost, its hashes, and what a flood of sign-ins does to the machine."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from argon2 import PasswordHasher, Type, extract_parameters

from server.services.errors import Busy
from server.services.people.passwords import AT_ONCE, MEMORY_KIB, Passwords

FLOOD = """
import resource
from concurrent.futures import ThreadPoolExecutor
from server import memory
from server.services.errors import Busy
from server.services.people.passwords import Passwords

memory.begin()  # as every server does: threads share one heap
passwords = Passwords("standard", patience=0.3)

def sign_in(number):
    try:
        passwords.matches(None, f"guess {number}")
    except Busy:
        return "busy"
    return "checked"

before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
with ThreadPoolExecutor(200) as threads:
    said = list(threads.map(sign_in, range(200)))
after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(after - before, said.count("busy"), said.count("checked"))
"""


def test_a_hash_is_at_the_floor_or_above() -> None:
    found = extract_parameters(Passwords().hash("four words are fine"))
    assert found.type is Type.ID
    assert (found.memory_cost, found.time_cost, found.parallelism) >= (19 * 1024, 2, 1)


def test_200_sign_ins_at_once_stay_in_memory_and_who_waits_too_long_is_asked_to_come_again() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", FLOOD], capture_output=True, text=True, timeout=60, check=True
    )
    grown_kib, busy, checked = map(int, ran.stdout.split())
    assert busy + checked == 200
    assert busy > 0
    assert checked > 0
    # 200 at once would hold 3.7 GiB. Threads have stacks of their own, some 10 MiB in all.
    assert grown_kib < AT_ONCE * MEMORY_KIB + 60 * 1024


def test_an_older_hash_still_opens_and_is_made_anew() -> None:
    passwords = Passwords("cheap")
    older = PasswordHasher(memory_cost=128, time_cost=1, parallelism=1).hash("four words are fine")
    assert passwords.matches(older, "four words are fine")
    fresh = passwords.renewed(older, "four words are fine")
    assert fresh is not None
    assert passwords.matches(fresh, "four words are fine")
    assert passwords.renewed(fresh, "four words are fine") is None


def test_a_place_is_given_back_also_by_who_was_refused() -> None:
    passwords = Passwords("cheap", patience=0.05)
    with ThreadPoolExecutor(1) as threads, passwords._slot(), passwords._slot(), passwords._slot():
        with passwords._slot(), pytest.raises(Busy):
            threads.submit(passwords.hash, "x").result()
        assert threads.submit(passwords.hash, "x").result()
