# Amounts, times, names of things.

# What stands between a number and its decimals.
decimal-mark = .
bytes = { $n } bytes

ago-now = just now
ago-minutes = { $n ->
    [one] a minute ago
   *[other] { $n } minutes ago
}
ago-hours = { $n ->
    [one] an hour ago
   *[other] { $n } hours ago
}
ago-days = { $n ->
    [one] a day ago
   *[other] { $n } days ago
}

took-nothing = under a second
took-seconds = { $n } s
took-minutes = { $n } min
took-hours = { $hours } h { $minutes } min

left-unknown = Time left is not known yet
left-seconds = A few seconds left
left-minute = About a minute left
left-minutes = About { $n } minutes left
left-hours = About { $n } hours left
left-backup = How long the backup takes is not known.
left-backup-so-far = How long the backup takes is not known. { $amount }.

amount-of = { $done } of { $total }
amount-so-far = { $done } so far

rate-aloud-kB = { $n } kilobytes per second
rate-aloud-MB = { $n } megabytes per second
rate-aloud-GB = { $n } gigabytes per second
rate-aloud-bytes = { $n } bytes per second

place-scratch = A file that plays a card
place-usb = USB
place-reader = USB card reader
place-mmc = Built-in card slot
place-nvme = Built in, NVMe
place-sata = Built in, SATA
place-virtual = Virtual
place-other = Built in
place-slot = { $place }, slot { $slot }
disk-unnamed = Unnamed disk
card-reader = Card reader

contents-empty = Nothing; it is empty
contents-system = A Home Assistant system
contents-no-partitions = A table without partitions
contents-unknown = Something that is not known
contents-part = part { $n }
contents-named = “{ $name }”
contents-no-files = hardly any files
contents-files = about { $used } of files
contents-more = { $n ->
    [one] 1 more part
   *[other] { $n } more parts
}

plugged-before = before this app started
