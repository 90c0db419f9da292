"""What must outlive a run: a database, a folder of bytes, and a key.

store.py        all of it, opened together; places.py says where it lies
schema.py       the tables
database.py     opens one (SQLite or PostgreSQL), reads and writes in transactions, words its errors
migrations/     how a database of an earlier version becomes one of this
artefacts.py    bytes by their SHA-256: submissions, starters
signing.py      the key that receipts and scorecards are signed with
audit.py        who did what when, chained so that a gap shows
cohorts.py      assessment runs, with the challenges they are held to
submissions.py  what was handed in, with its receipt
attempts.py     gradings: taken by one owner at a time, ended once
scorecards.py   what gradings came to; written once
regrades.py     gradings again, beside the old ones, until somebody accepts them
fingerprints.py what code is compared by
marks.py        what people say by a rubric
check.py        whether all of it fits together
backup.py       a copy of all of it, made while others write

<state>/store/
  assay.db      unless ASSAY_DATABASE names another
  artefacts/
  keys/
"""
