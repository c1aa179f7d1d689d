# Home: this system, the disks, what is being made.

home-title = Make a new card
home-heading = Make a new card for this Home Assistant

home-running = A card is being made: { $percent } %
home-stopping = Stopping. Do not pull the card yet.
home-watch = Watch
home-ready = Your new card is ready
home-ready-made = { $name } was made, read back and compared.
home-ready-take-out = Take it out of the reader now.
home-ready-swap = Now it takes the place of the old one.
home-swap-now = Swap it now
home-see-done = See what was done

home-system = This system
home-system-asking = Asking Home Assistant about this system…
home-system-silent = Home Assistant has not told anything about this system.
home-board = Board
home-os = System
home-os-version = Home Assistant OS { $version }
home-os-newest = Home Assistant OS { $version } (newest { $latest })
home-free = Free
home-backup-about = Backup about { $size } (expected)
home-runs-from = Runs from
home-need = New card
home-or-more = { $size } or more

home-usable = Disks you can use
home-looking = Looking for disks…
home-failed-title = The disks could not be listed
home-failed-todo = Restart the app; if it repeats, send the log.
home-one-at-a-time = None now. One card at a time: the next one can be chosen when this one is done.
home-not-now = None now: { $why }.
home-none-yet = None yet. Plug in a USB reader with the new card. This page notices by itself.
home-empty-reader = { $name }: no card in it. Put the new card in. This page notices by itself.
home-plugged = plugged in { $when }
home-on-it = On it now:
home-twin-last = It looks the same as another disk. This is the one plugged in last.
home-twin-earlier = It looks the same as another disk. This is the one plugged in earlier.
home-use = Use this card
home-refused = Disks you cannot use

home-technical = Technical details
home-machine = Machine
home-supervisor = Supervisor
home-core = Core
home-state = State
home-device = Device
home-connected = Connected at
home-serial = Serial
home-no-serial = none
home-fingerprint = Fingerprint
home-no-fingerprint = none: it could not be read

home-more = More pages
home-earlier = { $n ->
    [0] Earlier cards
   *[other] Earlier cards ({ $n })
}
home-cache = Kept system image
home-about = About and diagnostics

# Announced to screen readers.
home-plugged-in = { $name }, plugged in.
home-pulled-out = { $name }, pulled out.
home-no-card = { $name }: no card in it.
home-can-be-used = { $n ->
    [0] No disk can be used now.
    [one] 1 disk can be used.
   *[other] { $n } disks can be used.
}
