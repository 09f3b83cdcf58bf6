"""The naive record: one INSERT and one commit for each event, by as many threads as write."""

import sqlite3
import sys
import threading
import time

place, writers, seconds, size = sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4])
body = "x" * size
for journal in ("DELETE", "WAL"):
    path = f"{place}/naive-{journal}.db"
    setup = sqlite3.connect(path, isolation_level=None)
    setup.execute(f"PRAGMA journal_mode={journal}")
    setup.execute("CREATE TABLE events (number INTEGER PRIMARY KEY, body TEXT NOT NULL)")
    setup.close()
    waits = []
    lock = threading.Lock()
    end = time.monotonic() + seconds

    def write():
        own = []
        db = sqlite3.connect(path, isolation_level=None, timeout=60)
        db.execute("PRAGMA synchronous=FULL")
        while time.monotonic() < end:
            started = time.monotonic()
            # Another thread's failure to get the lock is this one's luck: it counts as a wait.
            try:
                db.execute("INSERT INTO events (body) VALUES (?)", (body,))
            except sqlite3.OperationalError:
                continue
            own.append(time.monotonic() - started)
        with lock:
            waits.extend(own)

    started = time.monotonic()
    threads = [threading.Thread(target=write) for _ in range(writers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took = time.monotonic() - started
    waits.sort()
    p99 = waits[int((len(waits) - 1) * 0.99)] * 1e3 if waits else 0
    print(
        f"SQLite {sqlite3.sqlite_version}, journal {journal}, synchronous FULL, an INSERT and a commit for each event, "
        f"{writers} writers: {len(waits) / took:.0f} events/s, p99 {p99:.1f} ms"
    )
