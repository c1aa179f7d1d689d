# Sentences that are kept with a job: warnings, what a step does just now, causes inside a problem.

warning-unhealthy = Home Assistant calls this system unhealthy ({ $why }). A card can be made all the same.
warning-unsupported = Home Assistant calls this system unsupported ({ $why }). A card can be made all the same.
warning-no-internet = There is no internet now. The new system needs it to put your backup back.
warning-update-pending = Home Assistant OS { $version } is installed and waits for a restart. Restart first.
warning-external-data-disk = An external data disk is in use. Its content is in the backup; the new card would switch the disk off. Unplug it before the first start of the new card.
warning-local-apps = The folder of local apps is missing from full backups. Save it yourself before you swap.
warning-without-database = This backup was made without the database: the history will be empty on the new card.
warning-other-version = The running version has no release; the card gets { $version } instead.
warning-room-for-restore = Putting a backup of { $backup } back needs about { $room } for a while. A larger card is safer.
warning-ledger-set-aside = The list of earlier cards could not be read ({ $why }). It was set aside as { $name }; a new one was begun.
warning-ledger-newer = The list of earlier cards is of a newer version of this app. It is kept unchanged as { $name }; a new one was begun.
warning-ledger-partly = { $n } entries in the list of earlier cards could not be read. The list as it was is kept as { $name }.
warning-ledger-in-the-way = The list of earlier cards can be neither read ({ $why }) nor set aside. It stays as it is, and new cards are not remembered.
warning-cannot-save = The app cannot save its state ({ $why }). Free some room.
warning-backup-without-database = The history database is not in this backup: the new card starts with an empty history.
warning-local-apps-missing = The folder of local apps (addons/local) is not in this backup: copy it by hand before you swap.
warning-backup-needs-key = This backup is encrypted: its key is asked for when it is restored.
warning-app-not-in-backup = { $part } is not in the backup: { $said }
warning-folder-not-in-backup = The folder { $part } is not in the backup: { $said }
warning-core-not-in-backup = Home Assistant is not whole in the backup: { $said }
warning-settings-not-in-backup = Settings of the Supervisor are not in the backup: { $said }
warning-backup-part-failed = A part of the backup failed: { $said }
warning-backup-unseen = The Supervisor was restarted while it made the backup; the backup itself is whole.
warning-backup-continues = Home Assistant goes on making the backup. It is kept and can be chosen next time.

note-checking-new-backup = Checking the backup
note-checking-chosen-backup = Checking the chosen backup
note-checking-backup-file = Checking the backup file
note-no-backup = No backup goes onto this card
note-image-kept = Kept from an earlier card; checked again

why-no-supervisor = There is no Supervisor here.
why-no-version = It did not say which version it runs.
why-not-listed = It is not in Home Assistant's list any more.
why-partial = It is a partial backup: it does not hold the whole system.
why-no-key = It is encrypted, and it was not confirmed that its key is at hand.
why-no-file = Its file is not in the backup folder of this machine.
why-not-a-url = { $url } is not a URL.
why-image-is = It is { $found }.
why-image-cut = Its end is missing.
why-image-damaged = It is damaged: { $what }.
why-image-memory = It needs too much memory to unpack.
why-unreadable-place = it could not be read
why-app-ending = The app is ending.
why-no-random = The system gave no random numbers.
why-asking-broke = Asking it ended unexpectedly.
why-judging-broke = Looking at what speaks against it ended unexpectedly.
why-work-broke = The work ended unexpectedly.
why-said-nothing = The job ended without saying why.
why-happened-while = It happened while { $what }.
why-backup-hung = nothing for { $minutes } minutes while saving { $doing }. Restarting Core may help.
why-supervisor-restarted = nothing: the Supervisor was restarted in the middle.

said-no-token = The app was started without a token for the Supervisor.
said-unauthorized = The Supervisor does not accept the app's token.
said-forbidden = The Supervisor does not allow this app to do that.
said-not-ready = The Supervisor is not ready: { $said }
said-refused = The Supervisor said: { $said }
said-trouble = The Supervisor answers with error { $status }.
said-silent = The Supervisor gave no answer within { $seconds } seconds.
said-unreachable = The Supervisor cannot be reached.
said-lost = The connection to the Supervisor was lost.
said-garbled = The Supervisor's answer cannot be understood.
said-stopped = Stopped.

note-left-out = Left out, as asked
note-backing-up = Backing up { $part }
note-backup-starting = Starting
note-backup-stores = The list of app stores
note-backup-core = Home Assistant
note-backup-apps = Apps
note-backup-folders = Folders
note-backup-settings = Settings of the Supervisor
note-backup-finishing = Finishing the file
note-backup-copies = Copies to other places
note-backup-restarts = Waiting for apps to start again
warning-not-verified = The card was not read back, as asked.
warning-blocks-rewritten = { $count } places read right only after they were written again: { $places }.

# What of name and network stays behind (the field is named as in Home Assistant's answer).
warning-hostname-left = The name of this system could not be carried over: the new card is called homeassistant until that is changed.
warning-network-left = The network settings of this system are not known, so they stay behind: the new card gets its address from the router.
warning-interface-left = The network settings of { $interface } could not be understood ({ $field }) and stay behind: set them up again on the new card.
warning-wifi-left = The Wi-Fi password was not given: connect a network cable at the first start, or set up its Wi-Fi ({ $interface }) anew.
warning-wifi-password-left = What was given cannot be the Wi-Fi password: connect a network cable at the first start, or set up its Wi-Fi ({ $interface }) anew.
