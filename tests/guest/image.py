"""What the guest starts from: Debian's kernel, and an archive of its packages, made once for a list of packages."""

import hashlib
import lzma
import re
import shutil
import tempfile
from pathlib import Path

import cpio
import packages

HERE = Path(__file__).parent
# With what they need, in this order.
MODULES = ["virtio_pci", "virtio_blk", "virtio_net", "virtio_console", "virtio_rng", "crc32c_generic", "crc32c_intel", "ext4", "vfat", "nls_ascii", "nls_cp437",
           "xhci_pci", "usb_storage", "uas", "sd_mod", "sr_mod"]


def kernel_and_root(folder):
    """Paths of the kernel and of the guest's first archive."""
    debs = packages.fetch(folder)
    recipe = [deb.name for deb in debs] + [(HERE / f"{part}.py").read_text() for part in ("packages", "cpio", "image")]
    key = hashlib.sha256("\n".join(recipe).encode()).hexdigest()[:16]
    kernel, root = folder / f"kernel-{key}", folder / f"root-{key}.cpio"
    if not (kernel.exists() and root.exists()):
        print("making the guest's root", flush=True)
        for old in [*folder.glob("kernel-*"), *folder.glob("root-*")]:
            old.unlink()
        make(debs, kernel, root, folder)
    return kernel, root


def make(debs, kernel, root, folder):
    with tempfile.TemporaryDirectory(dir=folder) as tree:
        tree = Path(tree)
        packages.unpack(debs, tree)
        order = modules(tree)
        shutil.copy(next((tree / "boot").glob("vmlinuz-*")), kernel)
        fill(tree)
        unfinished = root.with_suffix(".new")
        with cpio.Archive(unfinished) as archive:
            archive.tree(tree, lambda path: path == "boot" or re.match(r"(usr/)?lib/modules/.", path))
            archive.folder("modules")
            for number, path in enumerate(order):
                archive.add(f"modules/{number:02}-{path.name.split('.')[0]}.ko", 0o100644, plain(path))
        unfinished.rename(root)


def fill(tree):
    """What packages' scripts would have done, and the folders that we mount upon."""
    for name in ("dev", "proc", "sys", "run", "tmp", "mnt/data", "root", "inside"):
        (tree / name).mkdir(parents=True, exist_ok=True)
    (tree / "var").mkdir(exist_ok=True)
    if not (tree / "var/run").exists():
        (tree / "var/run").symlink_to("../run")
    if not (tree / "usr/bin/sh").exists():
        (tree / "usr/bin/sh").symlink_to("dash")
    (tree / "etc/passwd").write_text("root:x:0:0:root:/root:/bin/sh\nmessagebus:x:100:100::/nonexistent:/usr/sbin/nologin\n")
    (tree / "etc/group").write_text("root:x:0:\ndisk:x:6:\ncdrom:x:24:\ntty:x:5:\ndialout:x:20:\nkmem:x:15:\nmessagebus:x:100:\n")
    (tree / "etc/shadow").write_text("root:$6$secret$of.the.guest:20000:0:99999:7:::\n")
    (tree / "etc/hosts").write_text("127.0.0.1 localhost\n")


def plain(path):
    """A module as it is loaded, whatever it is packed with."""
    return lzma.open(path).read() if path.suffix == ".xz" else path.read_bytes()


def modules(tree):
    """Files of the modules and of what they depend on, each after what it needs."""
    folder = next(path for path in (tree / "usr/lib/modules").iterdir())
    files = {path.name.split(".")[0].replace("-", "_"): path for path in folder.rglob("*.ko*")}
    order = []

    def add(name):
        path = files.get(name)
        # Built into the kernel.
        if path is None or path in order:
            return
        found = re.search(rb"\0depends=([^\0]*)\0", plain(path))
        for needed in filter(None, found.group(1).decode().split(",") if found else []):
            add(needed.replace("-", "_"))
        order.append(path)

    for name in MODULES:
        add(name)
    return order
