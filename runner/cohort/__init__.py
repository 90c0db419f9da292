"""Cohorts: an assessment's submissions, graded together on one machine or by several runners over one store.

make.py      a new cohort: an assessment, and the challenges it is held to
add.py       submissions handed in: received, kept, recorded, receipted
files.py     what was handed in, and what candidates started from
held_to.py   the challenges' files, which must be those that the cohort is held to
owner.py     who takes gradings, and which of them still live
run.py       lanes that take one grading after the other until none is left
progress.py  what a run tells, and how long it will go on
regrade.py   grading again beside the old, the difference, and its acceptance
replay.py    one scorecard's grading once more, compared
pages.py     the folder of pages that interviewers decide from
exports.py   a cohort for other programs
feedback.py  what candidates are told
samples.py   a cohort of sample solutions, for the demo
purge.py     what is removed when nobody may keep it any longer
"""
