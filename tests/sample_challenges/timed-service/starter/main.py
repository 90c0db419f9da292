raise SystemExit("answer POST /prove here")
