# Confirming that a disk is erased.

card-title = Erase this card and make it the new system?
# Instead, where no answer could make it work.
card-not-now = This card cannot be made now
card-problem = There is a problem

card-where = Where
card-plugged = Plugged in
card-on-it = On it now
card-lost = All of it will be lost.

# What will happen, in one sentence of parts.
card-does = This { $backup }, { $image }, erases and writes this disk, and puts the backup on it.
card-does-backup-new = makes a full backup
card-does-backup-old = uses the backup you have chosen
card-does-image = downloads Home Assistant OS { $version }
card-does-image-size = downloads Home Assistant OS { $version } ({ $size })
card-does-image-kept = uses the kept image of Home Assistant OS { $version }
card-does-image-unnamed = downloads Home Assistant OS
card-takes-usual = About 20 to 50 minutes.
card-takes-minutes = About { $from } to { $to } minutes.
card-takes-hours = About { $from } to { $to } hours.
card-keeps-running = Home Assistant keeps running. Your present card is only read.

card-agree = Erase everything on
card-size = Which size is printed on the card, in GB?
card-size-hint = Take the card in your hand, or look at it in the reader. For example: 64

card-options = Options: backup, version, network
card-backup = Backup
card-backup-new = Make a new full backup now
card-backup-encrypted = encrypted: its key is asked for at the restore
card-backup-no-database = without the history database
card-backup-partial = cannot be used: it holds only a part of the system
card-have-key = I have the key of the encrypted backup; it is asked for at the restore
card-version = Version of Home Assistant OS
card-version-running = As now
card-version-latest = The newest
card-begin = Erase this card and begin
card-other = Choose another disk

card-error-agree = Tick the box to say that everything on this disk may be erased
card-error-size = Type the size printed on the card, for example 64
card-error-other-size = { $size } does not fit this disk. Check that it is the right one
card-error-backup = Choose a backup from the list
card-error-key = Tick the box to say that you have the key of this backup
card-error-version = Choose a version from the list

error-disk-gone-title = This disk is not plugged in any more
error-disk-gone-happened = It was pulled out, or the app was restarted and calls it by another name. Nothing was done.
error-disk-gone-todo = Plug it in, go back to the disks and choose it there.

# Name and network of this system go along.
card-keeps-both = Your new card will keep the address { $address } and the name { $name }.
card-keeps-address = Your new card will keep the address { $address }.
card-keeps-name = Your new card will keep the name { $name }.
card-keeps-name-by-router = Your new card will keep the name { $name }; its address comes from your router, as now.
card-keeps-wifi-asked = It will join the Wi-Fi { $wifi } if its password is typed below.
card-keeps-wifi-asked-address = It will join the Wi-Fi { $wifi } with the address { $address } if its password is typed below.
card-keeps-wifi-open = It will join the Wi-Fi { $wifi }.
card-keeps-wifi-open-address = It will join the Wi-Fi { $wifi } with the address { $address }.
card-keeps-nothing = Name, addresses and Wi-Fi of this system stay behind, as you have chosen: the new card is called homeassistant and gets its address from your router.
card-wifi = Wi-Fi password for
card-wifi-hint = Home Assistant does not tell it. It is used for this card and kept nowhere else. Without it the Wi-Fi has to be set up anew, and the new card needs a network cable until then.
card-cable = I will connect a network cable for the first start
card-network = Network
card-network-keep = Keep name, addresses and Wi-Fi of this system
card-error-wifi = Type the Wi-Fi password, or tick that you will connect a cable
card-error-wifi-odd = This cannot be the password of this Wi-Fi. Type it as the other devices have it
