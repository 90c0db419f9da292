"""What a cohort says beyond single scorecards. Pure functions: figures and bytes in, figures and sentences out.

estimates.py   a figure with its 95% interval, and the distributions that takes
ranking.py     candidates in order, with places as far as the assessment tells them apart
items.py       how hard each check is and how well it tells candidates apart, for the challenge's owner
flaky.py       which checks said different things of the same bytes
similarity.py  which submissions have code in common, and where: pairs by an index of fingerprints, which are
winnowing.py   a few of the hashes of
tokens.py      a submission's source, normalised and bounded
attention.py   what to look at first in a cohort, most urgent first
regrade.py     a regrade as a difference: what changed, by what, and whom it moves
"""
