"""Lanes: in order, side by side, and several at once where the far end serves everybody."""

import threading
import time
from collections import Counter

from jobs.lanes import Lanes


def test_a_lane_of_several_hands_begins_in_order_and_has_no_more_in_hand_than_that() -> None:
    begun: list[int] = []
    at_once: Counter[str] = Counter()
    most: Counter[str] = Counter()
    lock = threading.Lock()

    def work(lane: str, thing: int) -> None:
        with lock:
            begun.append(thing)
            at_once[lane] += 1
            most[lane] = max(most[lane], at_once[lane])
        time.sleep(0.01)
        with lock:
            at_once[lane] -= 1

    lanes: Lanes[int] = Lanes(work, 16, lambda kind: 4 if kind == "email" else 1)
    for thing in range(40):
        lanes.add("email everybody's", thing)
        lanes.add("push one's own", 100 + thing)
    assert lanes.waiting().keys() == {"email everybody's", "push one's own"}
    lanes.finish()
    assert most == {"email everybody's": 4, "push one's own": 1}
    assert [thing for thing in begun if thing >= 100] == list(range(100, 140))
    mails = [thing for thing in begun if thing < 100]
    assert sorted(mails) == list(range(40))
    assert all(abs(place - thing) <= 4 for place, thing in enumerate(mails))
    assert lanes.waiting() == {}


def test_a_lane_that_stood_still_starts_again() -> None:
    done: list[int] = []
    lanes: Lanes[int] = Lanes(lambda _lane, thing: done.append(thing), 2, lambda _kind: 3)
    for thing in range(50):
        lanes.add("email x", thing)
        lanes.finish()
    assert done == list(range(50))
