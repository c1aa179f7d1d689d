# Why a disk is not offered; all reasons that apply are shown.

refusal-runs-system = This Home Assistant runs from it.
refusal-holds-data = It holds this system's data.
refusal-system-unknown = It is not known yet which disks this system uses ({ $missing } did not answer).
refusal-built-in = It is built in.
refusal-in-use = { $what } is using it.
refusal-mounted = It is mounted or used on this machine.
refusal-job-uses-it = A job is using it.
refusal-finished = It is your new card, finished. Take it out of the reader.
refusal-too-small = Too small: { $has }, needed { $need }.
refusal-too-large = Too large: { $has }; at most 2.2 TB can be used.
refusal-write-protected = It is write-protected.
refusal-no-medium = No card in it. Put the new card in.
refusal-sector-size = Its sectors are { $bytes } bytes; Home Assistant OS needs 512.
refusal-unreadable = It could not be read.
refusal-twin = It looks the same as another disk. Pull this one out and put it back.
refusal-may-not-open = This app may not open it yet.
