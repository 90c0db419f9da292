"""The pages of a cohort, each one HTML text that needs nothing else. Pure: values in, text out.

content.py       what is known of a cohort, as the page takes it
page.py          the page an interviewer decides from: what to look at first, ranking, pictures, similarity
summary.py       its head: how many stand where, and what the mark is
concerns.py      what to look at first, and of whom
ranking.py       one row a candidate, with what it is sorted by
skills.py        a candidate's share of each skill over all challenges, and
profile.py       those at a glance
slowest.py       the budget that a candidate comes closest to, or exceeds most
signals.py       what speaks of a submission's integrity
marks.py         people's marks, which are no part of the score
distribution.py  a picture of how shares are distributed
against_limits.py one of the measured budgets against their limits
similar.py       pairs of submissions that are alike
owner.py         the page of a challenge's owner: what its checks tell
compare.py       two or three candidates side by side
check_rows.py    their outcomes, check by check
side_by_side.py  where two submissions are the same, line by line
regrade.py       what a regrade changed
links.py         the only links that a page may have
terms.py         standings, places and shares in words
room.py          how much of a page each part may take
"""
