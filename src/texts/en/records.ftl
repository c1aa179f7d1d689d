# What is kept: earlier cards, certificate, log, kept image; about this app.

# A point in time, in UTC.
moment = { $year }-{ $month }-{ $day }, { $hour }:{ $minute } UTC

history-title = Earlier cards
history-empty = No cards made yet.
history-when = When
history-disk = Disk
history-result = Result
history-took = Took
history-more = More
history-job = Job
history-log = Log
history-certificate = Certificate
history-os = Home Assistant OS { $version }
history-core = Core { $version }
history-app = sd-swap { $version }

certificate-title = Certificate of the new card
certificate-finished = This card is finished: it starts only because its first sector was written last, after everything below had been compared. Had the work ended earlier, the card would be empty. The certificate does not say that the backup has been restored since, nor how long the card will last.
certificate-card = Card
certificate-name = Name
certificate-maker = Maker
certificate-model = Model
certificate-serial = Serial number
certificate-size = Size
certificate-fingerprint = Fingerprint
certificate-system = System
certificate-board = Board
certificate-version = Version
certificate-image = Image file
certificate-unpacked = Size on the card
certificate-sha256 = SHA-256
certificate-own-digest = { $digest }, taken of the file itself; nobody's was there to compare it with
certificate-backup = Backup
certificate-no-backup = No backup was put on this card.
certificate-slug = Name of its file
certificate-date = Made
certificate-core = Home Assistant
certificate-key = Encrypted
certificate-key-needed = Its key is asked for when it is restored.
certificate-times = Time
certificate-started = Begun
certificate-ended = Finished
certificate-took = Took
certificate-compared = Compared, and found the same
certificate-rewritten = These blocks of 1 MiB read right only after they were written again: { $blocks }.
certificate-warnings = Good to know
certificate-steps = Measured
certificate-step = Step
certificate-amount = Amount
certificate-rate = Speed
certificate-by = Made by sd-swap { $version } as job { $job }.
certificate-by-earlier = Made by an earlier version of sd-swap as job { $job }.
certificate-print = Print
certificate-json = Download as JSON

compared-fingerprint = The disk is the one that was confirmed: at the beginning and again before the first write.
compared-image = The image file is the one that was published: its SHA-256 is the one that its release names.
compared-backup-parts = The backup was read to its end and holds what it promises.
compared-capacity = The card holds as much as it says: marks up to its end came back.
compared-content = Everything that was written was read back past the cache and is what it should be, MiB by MiB.
compared-file-system = The file system for the data was checked (e2fsck).
compared-backup-on-card = The backup on the card was read back; its SHA-256 is that of the backup that was put there.
compared-tables = The partition tables at both ends were read back after they were written.

log-title = Log of job { $id }
log-back = Back to the job
log-left-out = Names and passwords are left out.
log-download = Download as text
log-none = There is no log of this job.

report-title = Report a problem
report-at = Reports are read here:
report-what = The log and this help most:

cache-title = Kept image
cache-file = File
cache-version = Version
cache-board = Board
cache-size = Size
cache-stays = It stays until another one is downloaded, or until it is removed here. With it the next card needs no download. It is checked again each time.
cache-removing = Removing it makes { $size } of room on this system. For the next card it has to be downloaded again. Cards that are made already stay as they are.
cache-remove = Remove the kept image
cache-busy = The image can be removed when that card is done.
cache-watch = Watch it
cache-none = No image is kept.
cache-none-next = The image for the next card is downloaded, and kept then.
cache-unknown = What is kept is not known yet.
cache-again = Look again

about-title = About and diagnostics
about-versions = Versions
about-app = This app
about-os = Home Assistant OS
about-supervisor = Supervisor
about-core = Core
about-board = Board
about-unknown = not known
about-places = Where the data lies
about-data = This app
about-data-in = { $path }: the list of cards, their logs and the kept image. It goes when the app is removed.
about-data-nowhere = Nothing is kept.
about-backups = Backups
about-backups-in = With Home Assistant's own, under Settings › System › Backups. They stay when the app is removed.
about-paste = Paste this into the report. Names of backups and networks, serial numbers, addresses and passwords are not in it.
about-logs = Each card has a log of its own:
about-licences = Licences
about-libraries = The libraries in the program have free licences of their own; its source names each.

error-no-job-title = There is no such job
error-no-job-happened = The address is wrong, or the job was so long ago that it is not remembered.
error-no-job-todo = Look for it among the earlier cards, or go back to the disks.
error-no-certificate-title = There is no certificate
error-no-certificate-happened = Only a finished card has one; this one is not.
error-no-certificate-todo = See at the job how far it came.
error-no-log-title = There is no log of this job
error-no-log-happened = Nothing was written down, or it could not be kept.
error-no-log-todo = See at the job what is known of it.
error-long-form-title = The form is too long
error-long-form-happened = Nothing was done.
error-long-form-todo = Go back to the disks and fill the form in again.
error-stale-form-title = This page was out of date
error-stale-form-happened = The app was restarted since. Nothing was done.
error-stale-form-todo = Press the button again if you still want to.
error-not-rendered-title = This page could not be made
error-not-rendered-happened = Work that runs goes on.
error-not-rendered-todo = Load the page again; if it repeats, restart the app.

# What is cut off or turned away.
error-too-many-title = Too many pages are open
error-too-many-happened = This one cannot be kept fresh by itself.
error-too-many-todo = Close some, or reload the page to see what is new.
error-slow-form-title = The form did not arrive in time
error-slow-form-happened = Nothing was done.
error-slow-form-todo = Go back to the disks and fill the form in again.
