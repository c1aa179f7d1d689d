# Mengen, Zeiten, Namen von Dingen.

decimal-mark = ,
bytes = { $n } Bytes

ago-now = gerade eben
ago-minutes = { $n ->
    [one] vor einer Minute
   *[other] vor { $n } Minuten
}
ago-hours = { $n ->
    [one] vor einer Stunde
   *[other] vor { $n } Stunden
}
ago-days = { $n ->
    [one] vor einem Tag
   *[other] vor { $n } Tagen
}

took-nothing = unter einer Sekunde
took-seconds = { $n } s
took-minutes = { $n } min
took-hours = { $hours } h { $minutes } min

left-unknown = Die Restzeit ist noch nicht bekannt
left-seconds = Noch ein paar Sekunden
left-minute = Noch etwa eine Minute
left-minutes = Noch etwa { $n } Minuten
left-hours = Noch etwa { $n } Stunden
left-backup = Wie lange die Sicherung dauert, ist nicht bekannt.
left-backup-so-far = Wie lange die Sicherung dauert, ist nicht bekannt. { $amount }.

amount-of = { $done } von { $total }
amount-so-far = { $done } bisher

rate-aloud-kB = { $n } Kilobyte pro Sekunde
rate-aloud-MB = { $n } Megabyte pro Sekunde
rate-aloud-GB = { $n } Gigabyte pro Sekunde
rate-aloud-bytes = { $n } Byte pro Sekunde

place-scratch = Eine Datei, die eine Karte spielt
place-usb = USB
place-reader = USB-Kartenleser
place-mmc = Eingebauter Kartenschacht
place-nvme = Eingebaut, NVMe
place-sata = Eingebaut, SATA
place-virtual = Virtuell
place-other = Eingebaut
place-slot = { $place }, Schacht { $slot }
disk-unnamed = Namenloser Datenträger
card-reader = Kartenleser

contents-empty = Nichts; er ist leer
contents-system = Ein Home-Assistant-System
contents-no-partitions = Eine Tabelle ohne Partitionen
contents-unknown = Etwas Unbekanntes
contents-part = Teil { $n }
contents-named = „{ $name }“
contents-no-files = kaum Dateien
contents-files = etwa { $used } an Dateien
contents-more = { $n ->
    [one] 1 weiterer Teil
   *[other] { $n } weitere Teile
}

plugged-before = bevor diese App startete
