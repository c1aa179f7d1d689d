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
step-left = not waited for
step-not-begun = not begun

# The job page: its heads and titles.
job-heading = Making the new card
job-beginning = Beginning
job-step = Step { $n } of { $of }: { $doing }
job-stopping = Stopping. Do not pull the card yet.
job-cancelled = Stopped.
job-failed = Stopped
job-failed-at = Stopped at: { $stage }
job-done = The new card is ready
job-title-stopping = Stopping
job-title-cancelled = Stopped
job-title-failed = Failed · Making the new card
job-title-interrupted = Interrupted · Making the new card
job-title-done = Ready · The new card

job-untouched = Nothing on the card has been changed so far.
job-do-not-pull = Do not pull the card.
job-amount-in-step = { $amount } in this step
job-stood-at = The numbers stand still: { $percent } % when this page was opened.
job-close-page = You can close this page; the work goes on.
job-stop-numbers = Stop the moving numbers
job-show-numbers = Show moving numbers
job-steps = Steps
job-technical = Technical details
technical-job = Job
technical-device = Device
technical-fingerprint = Fingerprint
technical-board = Board
technical-image = Image
technical-backup = Backup
technical-cause = Cause

# What it waits for, and what does not answer.
waiting-card = Waiting for the card. Some cards pause for a while.
waiting-download = Waiting for the download.
waiting-backup = Waiting for Home Assistant. Large parts take a while.
silent-happened = No data for { $minutes } minutes.
silent-download-title = The download stands still
silent-download-todo = It is tried again by itself. Check the internet, or stop and try later.
silent-backup-title = The backup stands still
silent-backup-todo = Home Assistant may still be packing a large part. Wait, or stop and try again.

# Its ends.
job-done-compared = It was read back and compared.
job-done-take-out = Take it out of the reader now.
job-done-do-neither = If Home Assistant offers to rename or adopt a data disk, do neither.
job-gaps-title = Done, with gaps
job-gaps-todo = Save these yourself before you swap.
job-warnings-title = Good to know
job-stop = Stop…
job-swap = Swap the card now
job-start-again = Start again
job-try-again = Try again with the same card
job-log = Log
job-certificate = Certificate

# What is said aloud.
say-begins = Making the new card has begun.
say-quarter = A quarter done.
say-half = Half done.
say-three-quarters = Three quarters done.
say-goes-on = It goes on.
say-still = Still at work, { $percent } %.

# The page that asks before stopping.
stop-title = Stop making this card?
stop-stop = Stop
stop-keep-going = Keep going
stop-back = Back
stop-backup-goes-on = The backup that Home Assistant is making cannot be stopped. It goes on by itself and is kept.
stop-backup-kept = The backup is kept and can be chosen next time.
stop-stale-title = This page was out of date
stop-stale-happened = The app was restarted since. Nothing was done.
stop-stale-todo = Press Stop again if you still want to.
