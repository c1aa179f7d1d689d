# Swapping the card, and what follows. Read with the power off, by somebody who is worried: short, calm, one act a sentence.

swap-title = Swap the card now
swap-back-job = Back to the finished card
swap-back-out = Back to Home Assistant

swap-keep-title = Keep this page open
swap-keep = Home Assistant is off while you do this. This page needs nobody meanwhile; in the whole window it waits for the new card and finishes the move. To be safe, print it or open it on your phone before step 2.
swap-data-disk-title = An external data disk is in use
swap-data-disk = Its content is in the backup; the new card would switch the disk off. Unplug it at step 3, decide later.
swap-gaps-title = Done, with gaps
swap-gaps-todo = Save these yourself before you swap.
swap-key-title = Have the key of the backup at hand
swap-key = The backup is encrypted. Its key is asked for at step 6; without it nothing can be restored.
swap-news-title = Good to know

swap-one = Take the new card out of the reader now
swap-one-still = A card is still in the reader.
swap-one-why = A power cut with both cards in can start the wrong one.
swap-one-neither = If Home Assistant offers to “rename” or “adopt” a data disk: do neither.
swap-two = Turn this Home Assistant off
swap-two-how = Settings › System › power button, top right › Advanced options › Shut down system.
swap-two-never = Never restart.
swap-two-tab = Open these settings in another tab
swap-three = When its light is still, pull the plug
swap-three-data-disk = Unplug the external data disk, too.
swap-four = Take the old card out
swap-four-is = It is: { $name }.
swap-four-keep = Keep it: it is your way back.
swap-five = Put the new card where the old one was
swap-five-how = Leave the reader empty. Plug the power in.
swap-five-wait = The first start takes 5 to 20 minutes and needs the internet.
swap-six = Finish
swap-six-open = Open one of these addresses and finish by hand. Your own name, https and DNS come back with the restore; until then use these:
swap-six-account = Make any account.
swap-six-backups = Settings › System › Backups:
swap-six-restore = Tick everything. Restore.
swap-six-key = Type the key of the backup.
swap-six-returns = Home Assistant restarts on the way; this is normal. Your own account returns.
swap-six-none = No backup is on this card: set Home Assistant up anew.

swap-slot-rpi = The slot is on the underside of the Raspberry Pi, at the short side opposite the USB ports.
swap-slot-rpi4 = The slot is on the underside of the Raspberry Pi, at the short side opposite the USB ports; on a Raspberry Pi 400 it is at the back.
swap-slot-rpi5 = The slot is on the underside of the Raspberry Pi, at the short side opposite the USB ports; on a Raspberry Pi 500 it is at the back.
swap-slot-odroid = It is a memory card in the slot at the edge of the board, or a small memory module (eMMC) that is pressed onto the board. Take out whichever you have.
swap-slot-card-or-fixed = It is in the card slot at the edge of the board. If your system is in memory that is built in, it cannot be taken out, and the device may not start from the new card: ask its maker's guide before step 2.
swap-slot-fixed = Your system is in memory that is built in and cannot be taken out. The device may not start from the new card by itself: ask its maker's guide before step 2.
swap-slot-yellow = It is the SSD in the M.2 slot inside. If your system is in the memory of the compute module, it cannot be taken out, and the device may not start from the new disk: ask its maker's guide before step 2.
swap-slot-usb = It is plugged into a USB port.
swap-slot-nvme = It is the SSD in the M.2 slot, mostly inside the case.
swap-slot-sata = It is a disk inside the case, on a SATA plug.
swap-slot-computer = It is the disk inside the case, or one that is plugged into a USB port.
swap-slot-unknown = It is the card or disk that your Home Assistant starts from now.

swap-take-title = Take these steps with you
swap-take-panel = On your phone, before step 2: open this address, log in, choose “Swap it now”.
swap-take-root = On your phone, before step 2: open this address, log in, open this app, choose “Swap it now”.
swap-take-own = On your phone, before step 2: open this address.
swap-take-paper = Or print this page, or take a picture of it.
swap-qr-label = QR code: { $address }
swap-print = Print

swap-lost-title = If the new card is not found
swap-lost-wait = Wait: the first start takes up to 20 minutes and needs the internet.
swap-lost-check = Check the light, the card and the network cable.
swap-lost-try = Try each address of step 6.
swap-lost-old = The old card still works: pull the plug, change the cards back, leave the reader empty, plug the power in.

swap-card-title = What is on the new card
swap-card-name = Card
swap-card-system = System
swap-card-version = Home Assistant OS { $version }
swap-card-backup = Backup
swap-card-none = none
swap-card-made = Made

# Finishing by the page itself; the situations are in finish.ftl, but for those that only a page meets.
swap-finish-whole = Here, in Home Assistant's own page, nothing can be finished for you: it goes away with Home Assistant. Before step 2:
swap-finish-whole-open = open this page in the whole window
swap-finish-key = Key of the backup
swap-finish-key-send = Restore with this key
swap-finish-again = Try again
swap-finish-open = Open Home Assistant
finish-unread-title = Home Assistant does not restore yet
finish-unread-happened = It refused, and from this page its reason cannot be read.
finish-unread-todo = Leave the machine on, connected to the internet, with the reader empty: it is tried again every half minute. If it goes on for longer, finish by hand as below.
finish-elsewhere-title = This page cannot finish for you
finish-elsewhere-happened = You came by https, or by a way of your own; the new system starts with http.
finish-elsewhere-todo = After step 5 finish by hand as below, or open the old system now by one of these addresses and begin here again.
