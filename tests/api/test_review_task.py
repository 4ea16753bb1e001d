"""Review tasks: those that wait, and those about which something was done."""

from flask import Flask

from schemas.review_task import SettlingBody
from tests.access_world import built
from tests.cast import Cast


def test_what_is_settled_is_read_where_it_is_asked_for(app: Flask, cast: Cast) -> None:
    task = built(app, cast).ids["task_id"]

    def listed(query: str) -> list[str]:
        return [one["id"] for one in cast.coordinator.get(f"/review-tasks{query}").json["items"]]

    waiting = listed("")
    assert task in waiting
    assert listed("?settled=false") == waiting
    assert listed("?settled=true") == []
    assert (
        cast.coordinator.post(f"/review-tasks/{task}/settle", dict(SettlingBody.EXAMPLE)).status_code == 200
    )
    assert listed("?settled=true") == [task]
    assert listed("") == [one for one in waiting if one != task]


def test_settled_is_true_or_false_and_nothing_that_looks_like_it(cast: Cast) -> None:
    for other in ("yes", "1", "True", ""):
        assert cast.coordinator.get(f"/review-tasks?settled={other}").status_code == 422, other
