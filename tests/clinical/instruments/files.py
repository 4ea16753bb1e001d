"""Small good data files, for the tests that spoil them."""

GOOD = """
key = "mini"
version = 2
locale = "en"
title = "Mini"
content = "text"
source = "None 2026"
review = "Made up for the tests."
recall = "today"
direction = "high_bad"
instructions = "Please answer."

[licence]
class = "A"
notice = "Free."

[loinc]
total = "1234-5"

[options.often]
0 = "Never"
1 = "Sometimes"
2 = "Often"

[[items]]
id = "q1"
text = "First"
options = "often"

[[items]]
id = "q2"
text = "Second"
options = "often"

[scoring]
method = "sum"
low = 0
high = 4

[[bands]]
key = "few"
low = 0
high = 2
label = "Few"

[[bands]]
key = "many"
low = 3
high = 4
label = "Many"

[change]
remission_at = 2

[[safety]]
code = "mini_often"
item = "q2"
at_least = 2
urgency = "P1"
notice = "crisis_lines"

[[safety]]
code = "mini_sometimes"
item = "q2"
at_least = 1
urgency = "P1"
notice = "crisis_lines"
"""

DOMAINS = (
    GOOD.replace('"sum"', '"domain_max"').replace("high = 4", "high = 2").partition("[[bands]]")[0]
    + '[[subscores]]\nid = "all"\nitems = ["q1", "q2"]\nfold = "max"\n'
)
TIERS = (
    GOOD.replace('"sum"', '"tier"').replace("high = 4", "high = 2").partition("[[bands]]")[0]
    + '[[tiers]]\nvalue = 2\nitems = ["q1"]\n'
)
SCORE_ONLY = (
    GOOD.partition("[options")[0]
    .replace('content = "text"', 'content = "score"')
    .replace('class = "A"', 'class = "C"')
    .replace('instructions = "Please answer."\n', "")
    + '[repeat]\ncount = 2\nlow = 0\nhigh = 2\n\n[scoring]\nmethod = "sum"\nlow = 0\nhigh = 4\n'
)
