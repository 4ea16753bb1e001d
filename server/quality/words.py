"""The words of the page of figures: what each table is measured on and what it can't say."""

from collections.abc import Mapping
from types import MappingProxyType


def _one_line(text: str) -> str:
    return " ".join(text.split())


ABOUT = _one_line("""
    Made by `make quality`; do not edit. The watch is replayed day by day, knowing only what was known on
    each day, beside the simple detectors a clinic could use instead. All get the same diaries and the
    same quiet time of 14 days after an alarm, and are counted by the same code. The rules of the watch
    and what its defaults were set on (simulated patients of other seeds, the shape of two rules with one
    real diary in view): [clinical.md](clinical.md).
""")
# Heading -> title and what is to be known about its figures.
SECTIONS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "reference": (
            "Simulator, reference",
            _one_line("""
                A person's level about 3 of 10, SD lognormal (median 1.2), autocorrelation mean 0.3,
                weekday offsets, whole-number answers to mood, interest, anxiety and restlessness, 13 % of
                days missing in runs; a relapse rises about 3 points over 1 to 28 days. Found is an alarm
                from the onset to 14 days after the full relapse; nobody is left out: who never fills a
                baseline, or falls ill while it still fills, counts as any other. The simple detectors
                have a baseline of 14 days and more if it holds fewer than 10 entries, the watch one of 14
                to 21. Usual care has 2.2 times the mean of 14 days as its score, give or take 2.
            """),
        ),
        "eight": (
            "Simulator, all eight mood items",
            "As above; the patients also log irritability, agitation, worry and sleep quality.",
        ),
        "missing": (
            "Simulator, half of the days missing",
            "The reference with 50 % of days missing, in runs.",
        ),
        "correlated": (
            "Simulator, autocorrelation mean 0.5",
            "The reference with days that depend more on the day before.",
        ),
        "kossakowski": (
            "Kossakowski: one real relapse",
            _one_line("""
                One person, 239 days, up to ten prompts a day; antidepressant tapered from day 44, relapse
                about day 127, days 29-42 stable (doi 10.5334/jopd.29). Day 1 stands for the session.
                Warned is an alarm on days 43-126. One person is no validation.
            """),
        ),
        "thinned": (
            "Kossakowski, thinned",
            _one_line("""
                The same person as if they had logged once a day: one prompt of each day drawn by lot, a
                quarter of the days left out.
            """),
        ),
        "pmdata": (
            "PMData: healthy adults",
            _one_line("""
                16 people, five months (doi 10.1145/3339825.3394926): every alarm counts as false, though
                some may be real strain. Low fatigue stands for interest, stress for anxiety.
            """),
        ),
        "enrichd": (
            "ENRICHD: a scale about once a week",
            _one_line("""
                BDI scores of depressed people (Wu, Tian and Bang 2008) from when they were well: two
                scores in a row of at most 9, whose mean is the level. Ill again is two in a row of at
                least 14. One score a day counts, the last: the file repeats some rows, and one of its
                eight relapses is a single score stored twice (counted as one, it would be missed: 7 of
                8). Months are all stable time: of people who stayed well, and of the others before they
                fell ill (2 % of it). The watch's row is R5 or R6 with the cut at 14. That is the
                definition of the relapse itself, so its false alarms are nearly none by construction; the
                rows with lower cuts show what the rule does without that help, and miss what was asked
                for. The weight of R6 (0.5 of the published 0.3 to 0.5) was chosen on these people: with
                0.4, six of the seven are found. Seven people can't tell 93 % from 80 %. Of the 19 false
                alarms of "two in a row + 5", three are of people who fell ill later, and 15 are 5 points
                twice in a row while under 14: real strain, perhaps, but no relapse by the definition.
            """),
        ),
        "digibp": (
            "digiBP: bipolar disorder, 42 days",
            _one_line("""
                Daily depression sums as one item (Sagorac Gruichich 2021). Nothing is marked as a
                relapse: an alarm may be right.
            """),
        ),
        "pain": (
            "MyAIGuide: chronic pain",
            _one_line("""
                The worst body region of a day is its pain. Nothing is marked as a relapse: an alarm may
                be right.
            """),
        ),
        "migraine": (
            "Migraine: headache yes or no",
            _one_line("""
                Yes is 10 and no is 0, far from a pain score. Treatment begins on day 0, and the watch
                gives no signal for people who did not respond to it. Nothing is marked as a relapse.
            """),
        ),
    }
)
CURVE_IS = _one_line("""
    The first third of the reference patients again, the watch with every limit that says how far from the
    baseline is far (SD, SE and points) times one factor: finding more relapses, and sooner, is paid for
    in false alarms. Where no row has all three figures that were asked for, moving these limits alone
    can't bring them about.
""")
KINDS_ARE = _one_line("""
    Why a figure is missed: the relapsing reference patients by the size of the relapse in SD of the
    person's own days, and by how long it takes to build up. The delay counts from the first day of a slow
    rise, when there is next to nothing to see; a small rise in a restless person looks like their stable
    weeks.
""")
RERUN = (
    _one_line("""
    `make quality` writes this page (`afterglow watch-report --all`). The published diaries are not part
    of the repository: they are read from `../shared/data` beside it, or from the folder named with
    `--diaries`; where one is absent, its section says so. `--each` sets how many simulated patients of
    each kind are run (3000 by default), `--seed` the first seed. The same seeds give the same page,
    however many processors share the work.
""")
    + "\n\n"
    + _one_line("""
    The detectors beside the watch are in `server/quality/rivals.py` and `server/quality/scale_rules.py`.
    The change detectors of a library (`river`, `ruptures`) are not among them.
""")
)
