"""Debian's packages for the guest: found by apt as for an empty machine, kept below target/guest/debs.

Nothing is installed on this machine, and nothing needs root: apt only resolves and downloads, dpkg-deb only unpacks.
"""

import os
import subprocess
import sys
from pathlib import Path

# The kernel with its modules; python3 runs our side inside; NetworkManager is the one of the new system; the rest judges
# what the app did.
WANTED = ["linux-image-amd64", "python3-minimal", "libpython3-stdlib", "udev", "apparmor", "e2fsprogs", "fdisk", "mount",
          "util-linux", "iproute2", "coreutils", "dash", "dbus", "network-manager"]


def apt(folder, *words, **more):
    options = [f"Dir::State::status={folder}/nothing", f"Dir::Cache::archives={folder}/debs", "Debug::NoLocking=1",
               "APT::Install-Recommends=0", "APT::Architecture=amd64"]
    command = ["apt-get", "-qq", *(part for option in options for part in ("-o", option)), *words]
    return subprocess.run(command, check=True, text=True, **more)


def listed(folder):
    """The files that apt would fetch for a machine on which nothing is installed."""
    answer = apt(folder, "--print-uris", "-y", "install", *WANTED, stdout=subprocess.PIPE)
    lines = [line.split() for line in answer.stdout.splitlines() if line.startswith("'")]
    return sorted(words[1] for words in lines)


def missing(folder, names):
    return [name for name in names if not (folder / "debs" / name).is_file()]


def fetch(folder):
    """Paths of all packages, downloaded where they are missing; packages of an earlier run go."""
    (folder / "debs/partial").mkdir(parents=True, exist_ok=True)
    (folder / "nothing").touch()
    # apt names only what it does not have: the list is made in a cache that stays empty.
    empty = folder / "empty"
    (empty / "debs/partial").mkdir(parents=True, exist_ok=True)
    (empty / "nothing").touch()
    names = listed(empty)
    if missing(folder, names):
        print(f"fetching {len(missing(folder, names))} of {len(names)} Debian packages for the guest", flush=True)
        apt(folder, "--download-only", "-y", "install", *WANTED, stdout=sys.stderr)
    if left := missing(folder, names):
        raise SystemExit(f"apt-get did not fetch {', '.join(left)}")
    for old in set(os.listdir(folder / "debs")) - set(names) - {"partial"}:
        (folder / "debs" / old).unlink()
    return [folder / "debs" / name for name in names]


def unpack(debs, root):
    """All of them below `root`, as if installed, but for their scripts."""
    for name in ("bin", "sbin", "lib", "lib64"):
        (root / "usr" / name).mkdir(parents=True, exist_ok=True)
        os.symlink(f"usr/{name}", root / name)
    # What a guest that lives for minutes never reads.
    never = ["./usr/share/doc", "./usr/share/man", "./usr/share/locale", "./usr/share/info", "./boot/System.map*",
             "./usr/share/perl5", "./usr/share/bash-completion", "./usr/share/lintian"]
    exclude = [f"--exclude={path}" for path in never]
    for deb in debs:
        files = subprocess.Popen(["dpkg-deb", "--fsys-tarfile", Path(deb)], stdout=subprocess.PIPE)
        tar = ["tar", "-x", "-C", root, "--keep-directory-symlink", "--no-same-owner", *exclude]
        subprocess.run(tar, stdin=files.stdout, check=True)
        if files.wait():
            raise SystemExit(f"{deb} cannot be unpacked")
