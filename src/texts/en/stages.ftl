# The steps of a job: what a step does, the same while it runs, and what is on the card afterwards.

stage-preflight = Check the card and this system
stage-backup = Make a full backup
stage-download = Download Home Assistant OS
stage-download-version = Download Home Assistant OS { $version }
stage-write = Write the system to the card
stage-verify = Read it back and compare
stage-grow = Make use of the whole card
stage-inject = Put the backup on the card
stage-commit = Make the card startable

doing-preflight = checking the card and this system
doing-backup = making a full backup
doing-download = downloading Home Assistant OS
doing-write = writing the system to the card
doing-verify = reading it back and comparing
doing-grow = making use of the whole card
doing-inject = putting the backup on the card
doing-commit = making the card startable

card-untouched = The card is unchanged.
card-blank = The card is empty now and can be used again.
card-finished = The card is finished.
card-unknown = The card could not be read afterwards. Do not start anything from it; make it anew.
