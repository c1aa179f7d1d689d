# The steps, as they stand.
step-waiting = to come
step-aside = at the same time
step-aside-amount = { $amount }, at the same time
step-now = now
step-done = done, { $took }
step-skipped = not needed
step-failed = failed here
step-stopped = stopped here

outcome-running = being made
outcome-stopping = stopping
outcome-cancelled = stopped
outcome-failed = failed
outcome-interrupted = interrupted
outcome-done = ready

if-stopped-commit = This takes a few seconds and cannot be stopped.
if-stopped-untouched = The card is unchanged.
if-stopped-blank = The card will be empty then and can be used again.
