"""What people and tools read of a scorecard. One file a format.

document.py      a scorecard as a document, its reading back, and the candidate's copy of it
html.py          the page: view -> template -> one self-contained text
pdf.py           pages as they print, for files and paper
junit.py         scorecards for CI systems
cohort_exports.py  a cohort as CSV for spreadsheets and as JSON for programs
feedback.py      the page a candidate gets, as much as the assessment says
view.py          the page's typed view model; everything the template shows is made here
findings.py      what to look at first, and what to ask next
evidence.py      checks with their exchanges, and sandbox runs with their logs
measurements.py  what was measured and what the budgets came to, with
conditions.py    how, and how quiet the machine was, and
charts.py        their pictures, drawn from
series.py        plain figures, which
folding.py       makes of blocks, told in words by
captions.py      for those who do not see them, and made of
drawing.py       shapes and scales, and
axes.py          axes
files.py         the submission's files, of which
changes.py       tells the difference from the starter, and
source.py        highlights the source
provenance.py    digests, seed, engine, host, and what was enforced
budget.py        how much of the page each part may take
text.py          untrusted text: bounded, and with nothing in it that hides or reorders
wording.py       figures as people write them
self_contained.py one text of a template and its style, and the policy that allows these alone
cohort/          the pages of a cohort: ranking, comparison, similarity, the challenge's owner, regrades
templates/       the page's template and style
"""
