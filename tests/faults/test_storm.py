"""Fault 37: very many alerts at once are told in few messages, the most urgent first, none left out."""

import time
from collections import Counter
from dataclasses import dataclass, field

from jobs import deliver
from server.clinical.vocabulary import AlertClass, Channel, DeliveryState
from server.gateways.message import Message, Receipt, RecordingGateway
from tests.faults import storm
from tests.faults.ward import Ward

# `python -m benchmarks.storm` does it with 10,000.
ALERTS, CLINICIANS = 1_000, 12


@dataclass
class Timed(RecordingGateway):
    """A twin that notes when each message came, in seconds."""

    at: list[float] = field(default_factory=list)

    def send(self, message: Message) -> Receipt:
        """Note the time."""
        self.at.append(time.monotonic())
        return super().send(message)


def test_a_storm_is_told_in_three_messages_a_person_with_none_left_out_and_the_gravest_first(
    ward: Ward,
) -> None:
    """F37."""
    ward.around.gateways[Channel.EMAIL] = mail = Timed()
    people = [ward.hire(f"Doc{n}").account_id for n in range(CLINICIANS)]
    storm.break_out(ward.around.database, (ward.cast.bo.clinic_id, people), ward.clock.now, ALERTS)
    began = time.monotonic()
    deliver.run(ward.around, ward.clock.now)
    assert mail.at[-1] - began < 60
    rows = ward.deliveries()
    assert {row.state for row in rows} == {DeliveryState.ACCEPTED}
    assert len({row.subject_id for row in rows}) == ALERTS
    most = Counter(message.to for message in mail.sent).most_common(1)[0][1]
    assert most <= len({AlertClass.P0, AlertClass.P1, AlertClass.P2})
    _told_of_as_many_as_there_are(rows, mail)
    urgencies = {row.id: row.urgency for row in rows}
    order = [urgencies[message.id] for message in mail.sent]
    assert order == sorted(order)


def _told_of_as_many_as_there_are(rows: object, mail: Timed) -> None:
    sizes = Counter(row.bundle_id or row.id for row in rows)
    assert set(sizes) == {message.id for message in mail.sent}
    for message in mail.sent:
        assert sizes[message.id] == 1 or str(sizes[message.id]) in message.text
