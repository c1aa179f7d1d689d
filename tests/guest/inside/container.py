"""A container as Docker makes one for an app: namespaces, a root of its own, few capabilities, the device cgroup, and a
profile that holds from the first program on.
"""

import os
import traceback

import kernel

ROOT = "/run/container"
NETWORK = "/run/netns/app"
DATA, BACKUP = "/mnt/data/supervisor/apps/data/sd_swap", "/mnt/data/supervisor/backup"
# Docker's: chown, dac_override, fowner, fsetid, kill, setgid, setuid, setpcap, net_bind_service, net_raw, sys_chroot,
# mknod, audit_write, setfcap.
CAPABILITIES = {0, 1, 3, 4, 5, 6, 7, 8, 10, 13, 18, 27, 29, 31}


def last_capability():
    with open("/proc/sys/kernel/cap_last_cap") as file:
        return int(file.read())


def drop_capabilities():
    for number in range(last_capability() + 1):
        if number not in CAPABILITIES:
            kernel.prctl(kernel.PR_CAPBSET_DROP, number)


def in_new_container(group, work):
    """Runs `work` as the first process of a container. Gives the process that waits for it and ends as it does."""
    pid = os.fork()
    if pid:
        return pid
    try:
        kernel.enter(NETWORK)
        kernel.unshare(kernel.NEWNS | kernel.NEWPID | kernel.NEWIPC | kernel.NEWUTS)
        first = os.fork()
        if first:
            os._exit(os.waitstatus_to_exitcode(os.waitpid(first, 0)[1]) & 0xFF)
        group.join()
        put_up_root()
        work()
    finally:
        # Only who failed comes here: the work never returns.
        traceback.print_exc()
        os._exit(70)


def put_up_root():
    kernel.mount(None, "/", flags=kernel.REC | kernel.PRIVATE)
    os.makedirs(ROOT, exist_ok=True)
    kernel.mount("overlay", ROOT, "tmpfs")
    for name in ("bin", "sbin", "lib", "lib64"):
        os.symlink(f"usr/{name}", f"{ROOT}/{name}")
    for name in ("usr", "etc", "data", "backup", "dev", "proc", "sys", "tmp", "run", "mnt"):
        os.mkdir(f"{ROOT}/{name}")
    kernel.bind("/usr", f"{ROOT}/usr", kernel.RDONLY)
    for name in ("passwd", "group", "shadow", "hosts"):
        with open(f"/etc/{name}") as source, open(f"{ROOT}/etc/{name}", "w") as copy:
            copy.write(source.read())
    kernel.bind(DATA, f"{ROOT}/data")
    kernel.bind(BACKUP, f"{ROOT}/backup", kernel.RDONLY)
    kernel.bind("/dev", f"{ROOT}/dev", kernel.RDONLY)
    kernel.mount("proc", f"{ROOT}/proc", "proc")
    kernel.mount("sysfs", f"{ROOT}/sys", "sysfs", kernel.RDONLY)
    # The first root of a kernel cannot be pivoted away from; runc does the same then.
    os.chdir(ROOT)
    kernel.mount(".", "/", flags=kernel.MOVE)
    os.chroot(".")
    os.chdir("/")


def run(program, arguments, environment, profile):
    """Becomes a program, under a profile if one is named."""
    drop_capabilities()
    if profile:
        with open("/proc/self/attr/apparmor/exec", "w") as attribute:
            attribute.write(f"exec {profile}")
    os.execve(program, [program, *arguments], environment)
