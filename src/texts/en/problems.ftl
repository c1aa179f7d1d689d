# What can go wrong: title, what happened, what you can do. Each problem has the three under its name in the API.

problem-disk-may-not-open-title = This disk may not be opened yet
problem-disk-may-not-open-happened = Home Assistant gives the app a disk at the moment it is plugged in; this one was refused, most often because a Home Assistant system is already on it.
problem-disk-may-not-open-todo = Pull it out and put it back. Still refused: restart the app with the card in, erase the card on a computer, or use another card.

problem-no-reader-title = No card reader found
problem-no-reader-happened = Nothing removable is plugged in.
problem-no-reader-todo = Plug in a USB reader with a card of { $need } or more. This page notices by itself.

problem-card-too-small-title = The card is too small
problem-card-too-small-happened = It holds { $has }; { $need } are needed.
problem-card-too-small-todo = Use a larger card.

problem-card-protected-title = The card is write-protected
problem-card-protected-happened = Its lock is on.
problem-card-protected-todo = Take it out, slide the lock up, put it back.

problem-no-image-for-board-title = No system image for this board
problem-no-image-for-board-happened = There is no current Home Assistant OS for { $board }.
problem-no-image-for-board-todo = A backup alone still helps: Settings › System › Backups.

problem-already-running-title = A card is already being made
problem-already-running-happened = One at a time.
problem-already-running-todo = Watch it, or stop it first.

problem-disk-changed-title = The disk has changed
problem-disk-changed-happened = What is plugged in is not what you confirmed.
problem-disk-changed-todo = Look again and confirm again.

problem-no-room-for-backup-title = Not enough room for the backup
problem-no-room-for-backup-happened = { $free } free, about { $need } needed.
problem-no-room-for-backup-todo = Delete old backups, then try again.

problem-backup-failed-title = The backup failed
problem-backup-failed-happened = Home Assistant said: { $said }
problem-backup-failed-todo = Make one in Settings to see the cause, then try again.

problem-backup-running-title = Another backup is running
problem-backup-running-happened = Only one at a time.
problem-backup-running-todo = Try again when it is done.

problem-card-pulled-title = The card was pulled out
problem-card-pulled-happened = It vanished while { $doing }.
problem-card-pulled-todo = Put it back and start again.

problem-card-silent-title = The card does not answer
problem-card-silent-happened = No data for { $minutes } minutes.
problem-card-silent-todo = Wait, or stop and try another reader, port or card.

problem-write-failed-title = Writing failed
problem-write-failed-happened = The card refused data at { $at }.
problem-write-failed-unconfirmed = The card took the data, but did not confirm that it is stored.
problem-write-failed-todo = Card or reader is faulty; try another.

problem-card-counterfeit-title = The card is smaller than it says
problem-card-counterfeit-happened = Data came back wrong after { $after }.
problem-card-counterfeit-todo = Probably a fake; return it.

problem-card-unreliable-title = The card is not reliable
problem-card-unreliable-happened = { $places } places read back differently, the first at { $first }: { $looks }.
problem-card-unreliable-todo = Do not use it.

problem-download-stopped-title = The download stopped
problem-download-stopped-happened = { $host } does not answer.
problem-download-stopped-todo = Check the internet; it resumes where it stopped.

problem-download-damaged-title = The download was damaged
problem-download-damaged-happened = Its checksum does not fit; it was deleted.
problem-download-damaged-todo = Try again.

problem-no-digest-title = The image cannot be trusted
problem-no-digest-happened = Its checksum could not be fetched.
problem-no-digest-todo = Try again in an hour.

problem-backup-does-not-fit-title = The backup does not fit
problem-backup-does-not-fit-happened = { $need } needed, { $free } free on the card.
problem-backup-does-not-fit-todo = Use a larger card.

problem-last-check-failed-title = The card failed its last check
problem-last-check-failed-happened = { $what } It was made blank.
problem-last-check-failed-todo = Start again; if it repeats, send the log.

problem-restarted-title = The app was restarted
problem-restarted-happened = Work stopped while { $doing }.
problem-restarted-before = Work stopped before it began.
problem-restarted-todo = Start again; download and backup are kept.

problem-no-room-for-download-title = Not enough room for the download
problem-no-room-for-download-happened = { $free } free, { $need } needed.
problem-no-room-for-download-todo = Delete old backups or the kept image, then try again.

problem-still-starting-title = Home Assistant is still starting
problem-still-starting-happened = It makes no backups yet.
problem-still-starting-todo = Wait a minute; this page notices by itself.

problem-no-internet-title = No internet
problem-no-internet-happened = The system image cannot be downloaded.
problem-no-internet-todo = Check the network; a kept image works without.

problem-not-haos-title = This is not Home Assistant OS
problem-not-haos-happened = Cards can be made only for Home Assistant OS.
problem-not-haos-todo = A backup still helps: Settings › System › Backups.

problem-supervisor-silent-title = Home Assistant does not answer this app
problem-supervisor-silent-happened = { $said }
problem-supervisor-silent-todo = Restart the app; if it repeats, send the log.

problem-cannot-save-title = The app cannot save its state
problem-cannot-save-happened = { $why }
problem-cannot-save-todo = Free some room; work that runs goes on.

problem-backup-unusable-title = This backup cannot be used
problem-backup-unusable-happened = { $why }
problem-backup-unusable-todo = Choose another one or make a new one.

problem-grow-failed-title = The card's partition could not be made larger
problem-grow-failed-happened = { $what } The card is empty now.
problem-grow-failed-todo = Start again; if it repeats, send the log.

problem-image-unusable-title = This image cannot be used
problem-image-unusable-happened = { $why }
problem-image-unusable-todo = Use an unchanged Home Assistant OS image (.img.xz) for this board.

problem-disk-refused-title = This disk cannot be used
problem-disk-refused-happened = { $reasons }
problem-disk-refused-todo = Choose another disk.

problem-unexpected-title = Something went wrong
problem-unexpected-happened = { $short }
problem-unexpected-todo = Try again; the log helps to report it.
