"""What a clinician reads of a move, and what is stored to check it."""

from dataclasses import replace

from server.clinical.policy import DEFAULT_POLICY, policy_from
from server.clinical.scale_watch import ScaleRule, ScoredDay
from server.clinical.stage_evidence import Judged, codes, evidence, support, text
from server.clinical.stages import DiaryDay, Facts, Ground
from server.clinical.vocabulary import Arm, Stage, WatchState
from server.clinical.yardstick import Yardstick
from tests.clinical.diaries import day

PHQ9 = Yardstick("phq-9", Arm.MOOD, 10, 5)
RULE = DiaryDay(WatchState.RESPONDING, True, False)
SCORE = ScoredDay(PHQ9, day(28), 14, 5, 5.5, 9.75, (ScaleRule.R4,))
JUDGED = Judged(day(24), ["R2:composite"], "mood composite 5.9", {"state": "responding"})
FACTS = Facts({day(24): RULE, day(10): RULE}, {day(28): (SCORE,)})
POLICY = policy_from(3, {})


def test_diary_and_scale_are_told_in_one_sentence_with_the_version_of_the_rules() -> None:
    found = support(FACTS, {day(24): JUDGED}, day(28), Ground.BOTH, POLICY)
    assert text(found, Stage.PROBABLE, POLICY) == (
        "probable: mood composite 5.9; PHQ-9 14 on 2026-05-30, best since the session 5: +9, rule R4 v3"
    )
    assert codes(found) == ("R2:composite", "R4:phq-9")
    assert evidence(found, POLICY) == {
        "day": "2026-05-30",
        "ground": "diary_and_scale",
        "diary": {"state": "responding", "text": "mood composite 5.9"},
        "scales": [
            {
                "instrument": "phq-9",
                "day": "2026-05-30",
                "total": 14,
                "best_since_session": 5,
                "level": 5.5,
                "moving_average": 9.75,
                "rules": ["R4"],
            }
        ],
        "policy_version": 3,
    }


def test_of_several_days_and_scores_the_newest_is_told() -> None:
    facts = Facts({day(24): RULE, day(26): RULE}, {day(20): (replace(SCORE, value=20),), day(28): (SCORE,)})
    newer = Judged(day(26), ["R3:composite"], "mood composite 7", {})
    found = support(facts, {day(24): JUDGED, day(26): newer}, day(28), Ground.BOTH, POLICY)
    assert (found.diary, [one.value for one in found.scales]) == (newer, [14])


def test_a_scale_that_counts_the_other_way_is_told_as_it_was_filled() -> None:
    turned = replace(SCORE, yardstick=Yardstick("who-5", Arm.MOOD, 50, 10, 100), value=72, best=20)
    found = support(Facts({}, {day(28): (turned,)}), {}, day(28), Ground.SCALE_RULE, POLICY)
    assert "WHO-5 28 on 2026-05-30, best since the session 80: -52" in text(found, Stage.WATCH, POLICY)
    assert codes(found) == ("R4:who-5",)


def test_what_is_too_old_to_join_is_not_told() -> None:
    found = support(FACTS, {day(24): JUDGED}, day(32), Ground.SCALE_RULE, DEFAULT_POLICY)
    assert found.diary is None
    assert [one.day for one in found.scales] == [day(28)]
    assert support(FACTS, {}, day(60), Ground.SCALE_RULE, DEFAULT_POLICY).scales == ()


def test_a_move_without_a_rule_says_why_and_shows_what_was_reported() -> None:
    plain = replace(SCORE, best=None, rules=())
    facts = Facts({day(28): RULE}, {day(28): (plain,)})
    for ground, words in (
        (Ground.SESSION, "calm: a session was given"),
        (Ground.NOTHING_HELD, "calm: no rule held for 14 days"),
        (Ground.LOCKOUT_OVER, "calm: the 14 days after the dismissal are over"),
        (Ground.LATE_DATA, "calm: nothing moves on this day any more"),
    ):
        found = support(facts, {}, day(28), ground, POLICY)
        assert (text(found, Stage.CALM, POLICY), found.scales) == (words, (plain,))
    told = evidence(support(facts, {}, day(28), Ground.SESSION, POLICY), POLICY)
    assert told["scales"] == [
        {**_shown(), "best_since_session": None, "rules": []},
    ]
    assert told["diary"] is None


def _shown() -> dict[str, object]:
    return {
        "instrument": "phq-9",
        "day": "2026-05-30",
        "total": 14,
        "level": 5.5,
        "moving_average": 9.75,
    }


def test_a_newer_day_or_score_on_which_nothing_held_is_not_what_a_move_rests_on() -> None:
    calm, plain = DiaryDay(WatchState.RESPONDING, False, False), replace(SCORE, day=day(27), rules=())
    older = replace(SCORE, day=day(22))
    facts = Facts({day(24): RULE, day(26): calm}, {day(22): (older,), day(27): (plain,)})
    seen = {day(24): JUDGED, day(26): Judged(day(26), [], "mood composite 3", {})}
    found = support(facts, seen, day(28), Ground.BOTH, POLICY)
    assert (found.diary, found.scales) == (JUDGED, [older])
    # A day that is not judged any more has no words: an older one that is has.
    unread = Facts({day(24): RULE, day(26): RULE}, {})
    assert support(unread, {day(24): JUDGED}, day(28), Ground.DIARY_RULE, POLICY).diary is JUDGED


def test_both_sides_count_for_a_week_the_day_itself_included() -> None:
    for diary, scale, told in ((21, 21, True), (28, 28, True), (20, 20, False), (29, 29, False)):
        facts = Facts({day(diary): RULE}, {day(scale): (replace(SCORE, day=day(scale)),)})
        judged = {day(diary): replace(JUDGED, day=day(diary))}
        found = support(facts, judged, day(28), Ground.BOTH, POLICY)
        assert (found.diary is not None, bool(found.scales)) == (told, told)


def test_a_score_without_a_better_one_before_it_is_its_own_best() -> None:
    first = replace(SCORE, best=None)
    found = support(Facts({}, {day(28): (first,)}), {}, day(28), Ground.SCALE_RULE, POLICY)
    assert "PHQ-9 14 on 2026-05-30, best since the session 14: +0" in text(found, Stage.WATCH, POLICY)
