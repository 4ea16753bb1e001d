"""What the schemas of the rota, of contact points and of webhooks refuse, and where they say it is."""

from typing import Any

import pytest
from marshmallow import Schema, ValidationError

from schemas.contact_point import ContactPointBody, OrderBody, QuietHoursBody
from schemas.public_url import refusal
from schemas.rota import CoverageQuery, RotaBody
from schemas.shift import ShiftBody
from schemas.webhook import ListeningBody, WebhookBody
from schemas.webhook_delivery import LostEventsBody

ID = "019caae3-5000-7000-8000-000000000001"
P256DH = "BNcRdreALRFXTkOOUHK1EtK2wtaz5Ry4YfYCA_0QTpQtUbVlUls0VJXg7A8u-Ts1XbjhazAkj7I99e8QcYP7DkM"
AUTH = "tBHItJI5svbpez7KI4CCXg"
SUBSCRIPTION = {"endpoint": "https://push.example.net/a", "keys": {"p256dh": P256DH, "auth": AUTH}}
ROTA: dict[str, Any] = {"hours": {}, "holidays": [], "steps": [["admins"]], "fallback_account_id": None}
SHIFT = {"account_id": ID, "starts": "2026-03-06T18:00", "ends": "2026-03-09T08:00", "weekly_until": None}


def refused(schema: type[Schema], body: Any) -> Any:
    with pytest.raises(ValidationError) as error:
        schema().load(body)
    return error.value.messages_dict


def spans(*pairs: tuple[str, str]) -> dict[str, Any]:
    return {"hours": {"monday": [{"opens": opens, "closes": closes} for opens, closes in pairs]}}


@pytest.mark.parametrize(
    "pairs",
    [
        [("08:00", "08:00")],
        [("18:00", "08:00")],
        [("12:00", "14:00"), ("08:00", "10:00")],
        [("08:00", "12:00"), ("11:00", "14:00")],
        [("20:00", "00:00"), ("21:00", "22:00")],
        [("24:00", "08:00")],
        [("8:00", "18:00")],
        [("08:00:30", "18:00")],
        [(8, 18)],
        [(f"0{hour}:00", f"0{hour}:30") for hour in range(7)],
    ],
)
def test_hours_that_run_backward_overlap_or_are_no_times_are_refused(pairs: list[tuple[str, str]]) -> None:
    assert set(refused(RotaBody, {**ROTA, **spans(*pairs)})) == {"hours"}


def test_a_night_is_two_spans_and_a_day_may_end_at_midnight() -> None:
    loaded = RotaBody().load({**ROTA, **spans(("00:00", "06:00"), ("20:00", "00:00"))})
    assert [span[1].hour for span in loaded["hours"][0]] == [6, 0]


@pytest.mark.parametrize("hours", [[], "always", None, {"monday": {}}, {"mon": []}, {"monday": None}])
def test_hours_are_lists_by_weekday(hours: Any) -> None:
    assert set(refused(RotaBody, {**ROTA, "hours": hours})) == {"hours"}


@pytest.mark.parametrize(
    "steps",
    [
        *([], [[]], [["admins"]] * 7, [["admins", "admins"]], [["everybody"]], [["account:"]]),
        *([["account:7"]], [[f"account:{ID.upper()}"]], [[f"account: {ID}"]], [[f"account:{{{ID}}}"]]),
        *([[None]], [[7]], ["admins"], None, {}, [["own_clinician", ""]]),
        [[f"account:{ID[:-2]}{number}" for number in range(10, 21)]],
    ],
)
def test_steps_that_tell_nobody_known_are_refused(steps: Any) -> None:
    assert set(refused(RotaBody, {**ROTA, "steps": steps})) == {"steps"}


@pytest.mark.parametrize(
    "holidays",
    [
        [{"day": "2026-12-25"}],
        [{"day": "25.12.2026", "name": "Christmas"}],
        [{"day": "2026-02-30", "name": "None"}],
        [{"day": "2026-12-25", "name": " "}],
        [{"day": "2026-12-25", "name": "x" * 101}],
        [{"day": "2026-12-25", "name": "One"}, {"day": "2026-12-25", "name": "Two"}],
        ["2026-12-25"],
        [{"day": f"{1900 + number}-01-01", "name": "x"} for number in range(300)] + [None] * 101,
    ],
)
def test_holidays_need_a_day_of_their_own_and_a_name(holidays: Any) -> None:
    assert set(refused(RotaBody, {**ROTA, "holidays": holidays})) == {"holidays"}


@pytest.mark.parametrize("days", ["0", "61", "3.5", "x", "-1"])
def test_the_look_ahead_is_bounded(days: str) -> None:
    assert set(refused(CoverageQuery, {"days": days})) == {"days"}


@pytest.mark.parametrize(
    ("parts", "member"),
    [
        ({"account_id": "bo"}, "account_id"),
        ({"starts": "2026-03-06T18:00Z"}, "starts"),
        ({"starts": "2026-03-06T18:00+01:00"}, "starts"),
        ({"starts": "2026-03-06"}, "starts"),
        ({"starts": "2026-02-30T18:00"}, "starts"),
        ({"starts": "1066-10-14T18:00"}, "starts"),
        ({"starts": 7}, "starts"),
        ({"ends": "2026-03-06T18:00"}, "ends"),
        ({"ends": "2026-03-06T17:00"}, "ends"),
        ({"ends": "2026-04-07T18:00"}, "ends"),
        ({"ends": "2026-03-14T18:00", "weekly_until": "2026-12-31"}, "ends"),
        ({"weekly_until": "2026-03-05"}, "weekly_until"),
        ({"weekly_until": "soon"}, "weekly_until"),
    ],
)
def test_a_shift_has_a_person_a_length_and_an_end(parts: dict[str, Any], member: str) -> None:
    assert set(refused(ShiftBody, {**SHIFT, **parts})) == {member}


@pytest.mark.parametrize(
    "number",
    ["4740000001", "+0740000001", "+47 40000001", "+474000", "+4" * 9, "+47٤0000001", 47, ""],
)
def test_a_telephone_number_is_e164(number: Any) -> None:
    assert set(refused(ContactPointBody, {"channel": "sms", "number": number})) == {"number"}


@pytest.mark.parametrize(
    ("body", "member"),
    [
        ({"channel": "sms"}, "number"),
        ({"channel": "push"}, "subscription"),
        ({"channel": "push", "subscription": SUBSCRIPTION, "number": "+4740000001"}, "number"),
        ({"channel": "sms", "subscription": SUBSCRIPTION, "number": "+4740000001"}, "subscription"),
        ({"channel": "email", "number": "+4740000001"}, "channel"),
        ({"channel": "webhook"}, "channel"),
        ({"channel": "push", "subscription": None}, "subscription"),
        ({"channel": "push", "subscription": {**SUBSCRIPTION, "more": 1}}, "subscription"),
        (
            {"channel": "push", "subscription": {**SUBSCRIPTION, "endpoint": "http://a.no"}},
            "subscription",
        ),
        ({"channel": "push", "subscription": {**SUBSCRIPTION, "expirationTime": "soon"}}, "subscription"),
        *(
            ({"channel": "push", "subscription": {**SUBSCRIPTION, "keys": keys}}, "subscription")
            for keys in (
                {"p256dh": P256DH},
                {"p256dh": AUTH, "auth": AUTH},
                {"p256dh": "A" + P256DH[1:], "auth": AUTH},
                {"p256dh": P256DH, "auth": AUTH[:-3]},
                {"p256dh": P256DH, "auth": "A" * 10_000},
                {"p256dh": P256DH, "auth": "tBHItJI5svbpez7KI4CC!!"},
                {"p256dh": P256DH, "auth": "A"},
            )
        ),
    ],
)
def test_a_contact_point_has_the_address_of_its_channel(body: dict[str, Any], member: str) -> None:
    assert member in refused(ContactPointBody, body)


def test_a_browsers_subscription_is_taken_as_it_is() -> None:
    body = {"channel": "push", "subscription": {**SUBSCRIPTION, "expirationTime": None}}
    assert ContactPointBody().load(body)["subscription"]["endpoint"] == SUBSCRIPTION["endpoint"]


@pytest.mark.parametrize(
    "url",
    [
        *(
            "http://hooks.example.org",
            "ftp://hooks.example.org",
            "hooks.example.org",
            "",
            7,
            None,
            "https://",
        ),
        *(
            "https://bo@hooks.example.org",
            "https://bo:secret@hooks.example.org",
            "https://:@hooks.example.org",
        ),
        *("https://hooks.example.org/#part", "https://hooks.example.org/a b", "https://hooks.example.org/é"),
        *(
            "https://hooks.example.org\\@evil.example",
            "https://hooks.example.org:0",
            "https://a.example:99999",
        ),
        *("https://localhost", "https://localhost.", "https://api.localhost", "https://intranet"),
        *("https://db.internal", "https://printer.local", "https://127.0.0.1", "https://10.0.0.7:8443/x"),
        *("https://169.254.169.254/latest", "https://192.168.1.1", "https://100.64.0.1", "https://0.0.0.0"),
        *(
            "https://2130706433",
            "https://0x7f000001",
            "https://0177.0.0.1",
            "https://127.1",
            "https://224.0.0.1",
        ),
        *("https://[::1]", "https://[::ffff:127.0.0.1]", "https://[fd00::1]", "https://[2002:7f00:1::]"),
        *("https://[::1", "https://-a.example", "https://a..example", f"https://{'a' * 64}.example"),
        "https://hooks.example.org/" + "a" * 2000,
    ],
)
def test_an_address_outside_is_public_and_https_and_holds_no_credentials(url: Any) -> None:
    push = {"channel": "push", "subscription": {**SUBSCRIPTION, "endpoint": url}}
    assert "subscription" in refused(ContactPointBody, push)
    # What no schema can know is asked at the edge, with the setting (`server.api.web_address`).
    found = WebhookBody().validate({"account_id": ID, "url": url})
    assert set(found) == {"url"} or refusal(url) is not None


@pytest.mark.parametrize(
    "url",
    [
        *("http://127.0.0.1:9000/hook", "http://localhost:9000", "http://[::1]:9000/x", "https://127.0.0.2"),
        *("http://api.localhost/", "http://localhost."),
    ],
)
def test_this_machine_is_an_address_only_where_the_setting_says_so(url: str) -> None:
    taken = WebhookBody().load({"account_id": ID, "url": url})["url"]
    assert (refusal(taken) is None, refusal(taken, own_machine=True)) == (False, None)


@pytest.mark.parametrize(
    "url", ["http://10.0.0.7", "http://hooks.example.org", "https://db.internal", "https://192.168.1.1"]
)
def test_the_setting_opens_this_machine_and_nothing_else(url: str) -> None:
    assert refusal(url, own_machine=True) is not None


@pytest.mark.parametrize("events", [[], ["all"], ["visits"] * 3, "visits", [7], [None], None, {}])
def test_a_webhook_listens_to_what_there_is(events: Any) -> None:
    body = {"account_id": ID, "url": "https://hooks.example.org/a", "events": events}
    assert set(refused(WebhookBody, body)) == {"events"}
    assert set(refused(ListeningBody, {"events": events})) == {"events"}


@pytest.mark.parametrize("since", ["", "soon", "2026-03-02", "2026-03-02T10:00:00", 7, None, True])
def test_what_is_sent_again_is_named_by_a_moment(since: Any) -> None:
    assert set(refused(LostEventsBody, {"since": since})) == {"since"}


@pytest.mark.parametrize(
    "url",
    [
        *(
            "https://hooks.example.org/alerts?token=abcd",
            "https://hooks.example.org:8443",
            "https://8.8.8.8/x",
        ),
        *("https://[2001:4860:4860::8888]/x", "https://xn--bcher-kva.example/", "https://a.b.c.example.co"),
    ],
)
def test_a_public_address_is_taken_unchanged(url: str) -> None:
    assert WebhookBody().load({"account_id": ID, "url": url})["url"] == url


@pytest.mark.parametrize(
    ("body", "member"),
    [
        ({"quiet_from": "22:00", "quiet_until": None}, "quiet_until"),
        ({"quiet_from": None, "quiet_until": "07:00"}, "quiet_from"),
        ({"quiet_from": "22:00"}, "quiet_until"),
        ({"quiet_from": "10 pm", "quiet_until": "07:00"}, "quiet_from"),
    ],
)
def test_quiet_hours_begin_and_end(body: dict[str, Any], member: str) -> None:
    assert set(refused(QuietHoursBody, body)) == {member}


@pytest.mark.parametrize("ids", [None, ID, [7], ["x"], [ID] * 51])
def test_an_order_is_a_list_of_ids(ids: Any) -> None:
    assert set(refused(OrderBody, {"ids": ids})) == {"ids"}
