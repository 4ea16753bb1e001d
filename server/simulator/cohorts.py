"""The parameter tables: who responds, for how long, and how a diary moves. Data, with sources.

"Table" is the simulator table of the clinical reference ("MDD community" and so on), computed from
the outcome numbers of the study named; "proposal" is our own choice without a published figure.
"""

import math
from dataclasses import dataclass, replace
from types import MappingProxyType

from server.clinical.vocabulary import Arm, Condition, Route
from server.simulator.distributions import ClippedNormal, Duration, Exponential, LogNormal, Weibull

# Days between the start of the diary and the first session: at least ten, then the next Monday.
PRETREATMENT_DAYS = 10
LONGEST_PRETREATMENT = PRETREATMENT_DAYS + 6
# Days 0-2 after a session do not speak for the level reached; the baseline is the 14 days after.
SETTLE_DAYS, BASELINE_DAYS = 3, 14

_SIX_IN_THREE_WEEKS = (0, 3, 7, 10, 14, 17)
_TWICE_WEEKLY_FOUR_WEEKS = (0, 3, 7, 10, 14, 17, 21, 24)
_SIXTEEN_WEEKS = (*_TWICE_WEEKLY_FOUR_WEEKS, 28, 35, 42, 49, 56, 70, 84, 98, 112)


@dataclass(frozen=True, slots=True)
class Cohort:
    """One kind of patient.

    ``response`` is a probability (0-1), ``relapse`` the days from the last induction session to full
    relapse, ``induction`` the session days counted from the first session (a Monday), and
    ``maintenance_every`` the days between later sessions, None for observation only.
    """

    key: str
    condition: Condition
    route: Route
    arms: tuple[Arm, ...]
    response: float
    relapse: Duration
    source: str
    induction: tuple[int, ...] = _SIX_IN_THREE_WEEKS
    maintenance_every: int | None = None

    @property
    def shortest_diary(self) -> int:
        """Days a diary needs so that two weeks follow the last induction session."""
        return LONGEST_PRETREATMENT + self.induction[-1] + 1 + BASELINE_DAYS


_MOOD, _PAIN = (Arm.MOOD,), (Arm.PAIN,)
_IV, _NASAL = Route.INTRAVENOUS, Route.INTRANASAL
_DEPRESSION = Condition.DEPRESSION
_SUSTAIN = "Daly 2019 (SUSTAIN-1): everybody entered as a responder, hence response 1"

_COHORTS = (
    Cohort(
        "depression_community",
        _DEPRESSION,
        _IV,
        _MOOD,
        0.54,
        Weibull(1.20, 98.0),
        "McInnes 2022; Weibull fits 80% holding at 28 d and 60% at 56 d",
    ),
    Cohort(
        "depression_academic",
        _DEPRESSION,
        _IV,
        _MOOD,
        0.71,
        LogNormal(18.0, 0.9),
        "Murrough 2013, six infusions, strict relapse",
    ),
    Cohort(
        "depression_single",
        _DEPRESSION,
        _IV,
        _MOOD,
        0.48,
        LogNormal(14.0, 0.9),
        "Salloum 2020, one infusion of 0.5 mg/kg",
        induction=(0,),
    ),
    Cohort(
        "depression_inpatient",
        _DEPRESSION,
        _IV,
        _MOOD,
        0.46,
        Weibull(0.30, 196.0),
        "KetECT 2022: 50% relapsed at 57 d, 70% at 365 d",
    ),
    Cohort(
        "ptsd",
        Condition.PTSD,
        _IV,
        _MOOD,
        0.67,
        LogNormal(27.5, 0.8),
        "Feder 2021, six infusions",
    ),
    Cohort(
        "crps",
        Condition.CRPS,
        _IV,
        _PAIN,
        0.62,
        Exponential(-math.log1p(-0.226) / 28.0, cap=84.0),
        "Mangnus 2022 (22.6% of responders lost per 28 d); Sigtermans 2009 (lost at week 12)",
        induction=(0, 1, 2, 3, 4),
    ),
    Cohort(
        "outpatient_pain",
        Condition.CHRONIC_PAIN,
        _IV,
        (Arm.MOOD, Arm.PAIN),
        0.72,
        LogNormal(21.0, 1.0),
        "Patil and Anitescu 2012; logging both arms is a proposal",
        induction=(0, 7, 14),
    ),
    Cohort(
        "esketamine_maintained_remitter",
        _DEPRESSION,
        _NASAL,
        _MOOD,
        1.0,
        Exponential(0.00124),
        _SUSTAIN,
        induction=_TWICE_WEEKLY_FOUR_WEEKS,
        maintenance_every=7,
    ),
    Cohort(
        "esketamine_maintained_responder",
        _DEPRESSION,
        _NASAL,
        _MOOD,
        1.0,
        Exponential(0.00109),
        _SUSTAIN,
        induction=_TWICE_WEEKLY_FOUR_WEEKS,
        maintenance_every=7,
    ),
    Cohort(
        "esketamine_stopped_remitter",
        _DEPRESSION,
        _NASAL,
        _MOOD,
        1.0,
        Exponential(0.00254),
        _SUSTAIN,
        induction=_SIXTEEN_WEEKS,
    ),
    Cohort(
        "esketamine_stopped_responder",
        _DEPRESSION,
        _NASAL,
        _MOOD,
        1.0,
        Exponential(0.00788),
        _SUSTAIN,
        induction=_SIXTEEN_WEEKS,
    ),
)
COHORTS = MappingProxyType({cohort.key: cohort for cohort in _COHORTS})

# Shares of a mixed clinic (proposal). The cohorts stopped after 16 weeks need a longer diary than
# most runs have, so they are left to callers who ask for them.
CLINIC_MIX = (
    (COHORTS["depression_community"], 0.45),
    (COHORTS["depression_academic"], 0.10),
    (COHORTS["ptsd"], 0.10),
    (COHORTS["crps"], 0.10),
    (COHORTS["outpatient_pain"], 0.15),
    (COHORTS["esketamine_maintained_responder"], 0.10),
)


_LEVEL, _SHIFT = ClippedNormal(3.0, 1.2, 1.0, 6.0), ClippedNormal(3.0, 1.0, 1.5, 6.0)
_SD = LogNormal(1.2, 0.35)
# The reference says "clipped" without bounds; negative or near-1 values are not seen in diaries.
_PHI = ClippedNormal(0.3, 0.2, 0.0, 0.8)


@dataclass(frozen=True, slots=True)
class DiaryProcess:
    """How one person's symptoms move from day to day, in points of 0-10, higher is worse.

    Defaults are the reference simulation of the clinical reference; its autocorrelation, missing days
    and floor come from 43 bipolar patients x 42 days (Sagorac Gruichich 2021), the rest is proposal.
    """

    level: ClippedNormal = _LEVEL
    sd: LogNormal = _SD
    phi: ClippedNormal = _PHI
    weekday_share: float = 0.25
    item_correlation: float = 0.4
    item_factor_sd: float = 0.3
    item_offset_sd: float = 0.0
    shift: ClippedNormal = _SHIFT
    ramp_days: tuple[float, float] = (1.0, 28.0)
    missing_after_seen: float = 0.08
    missing_after_missed: float = 0.45

    @property
    def missing_share(self) -> float:
        """Long-run share (0-1) of days without an entry."""
        return self.missing_after_seen / (self.missing_after_seen + 1.0 - self.missing_after_missed)

    def with_missing_share(self, share: float) -> "DiaryProcess":
        """Return the process with ``share`` (0-1) of days missing, clustered as much as before."""
        if not 0.0 <= share <= 1.0:
            raise ValueError(f"the share of missing days must be 0 to 1, got {share}")
        clustering = self.missing_after_missed - self.missing_after_seen
        seen = share * (1.0 - clustering)
        return replace(self, missing_after_seen=seen, missing_after_missed=seen + clustering)


REFERENCE_PROCESS = DiaryProcess()
# Real persons do not have the same level on every item (proposal).
CLINIC_PROCESS = DiaryProcess(item_offset_sd=0.5)

# Level before treatment: PHQ-9 of N(18, 4.5) as points of 0-10; pain as in the CRPS trial (proposal).
PRETREATMENT_LEVEL = MappingProxyType(
    {Arm.MOOD: ClippedNormal(6.7, 1.7, 5.0, 9.5), Arm.PAIN: ClippedNormal(7.0, 1.3, 5.0, 9.5)}
)
# A responder keeps at most this share of the level before treatment. Response is a drop of 50% (mood)
# or 30% (pain); the margin keeps a true responder from hiding in the rounding.
RESPONDER_KEEPS_AT_MOST = MappingProxyType({Arm.MOOD: 0.45, Arm.PAIN: 0.6})
# Somebody who does not respond improves by 0 to 25% (proposal).
NON_RESPONDER_IMPROVES = (0.0, 0.25)
# Share of the way still to go that each session leaves (Phillips 2019: median three to respond).
SESSION_LEAVES = 0.6
# Extra relief in points by days since a session (proposal).
AFTERGLOW = MappingProxyType({1: 0.8, 2: 0.4})
# Patients who stop logging for good, per 30 days (adherence decay, proposal).
DROPOUT_PER_30_DAYS = 0.05
