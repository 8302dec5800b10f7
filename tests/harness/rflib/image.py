"""Initramfs of the host VM and of the guests in it."""

import gzip
import hashlib
import lzma
import os
import subprocess

from .cpio import Archive

HARNESS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TOP = os.path.dirname(os.path.dirname(HARNESS))
BUILD = os.environ.get("RF_BUILD", os.path.join(TOP, "build"))
KERNELS = os.path.join(TOP, "build", "kernels")


class Missing(Exception):
    """Something the VM needs is not there; the text says what to do."""


def need(path, hint):
    if not os.path.exists(path):
        raise Missing(f"{os.path.relpath(path, TOP)} is missing; {hint}")
    return path


def kernel(name, item="vmlinuz"):
    hint = "run make debug-kernel" if name == "debug" else "run tests/setup.sh"
    return need(os.path.join(KERNELS, name, item), hint)


def busybox():
    for path in ("/bin/busybox", "/usr/bin/busybox"):
        if os.path.exists(path):
            return path
    raise Missing("busybox-static is missing; run tests/setup.sh")


def add_base(ar):
    for name in ("proc", "sys", "dev", "tmp", "run", "root", "etc", "bin"):
        ar.dir(name)
    for name in ("sbin", "usr/bin", "usr/sbin"):
        ar.link(name, "/bin")
    ar.char("dev/console", 5, 1)
    ar.char("dev/null", 1, 3)
    ar.data("etc/passwd", b"root:x:0:0:root:/root:/bin/sh\n"
            b"nobody:x:65534:65534:nobody:/:/bin/sh\n")
    ar.data("etc/group", b"root:x:0:\nnogroup:x:65534:\n")
    bb = busybox()
    ar.file("bin/busybox", bb, 0o755)
    applets = subprocess.run([bb, "--list"], check=True, text=True,
                             capture_output=True).stdout.split()
    for applet in applets:
        if applet != "busybox":
            ar.link("bin/" + applet, "busybox")


def add_program(ar, name, source):
    """A program and, if it is dynamic, the loader and libraries it wants."""
    ar.file(name, source, 0o755)
    ldd = subprocess.run(["ldd", source], text=True, capture_output=True)
    if ldd.returncode:
        return
    libs = []
    for line in ldd.stdout.splitlines():
        words = line.split()
        if "not found" in line:
            raise Missing(f"{source} wants {words[0]}; run tests/setup.sh")
        if "=>" in words:
            libs.append(words[2])
        elif words[0].startswith("/"):
            libs.append(words[0])
    if any("libc.so" in lib for lib in libs):
        # pthread_exit() and pthread_cancel() load this one late.
        unwind = "/lib/x86_64-linux-gnu/libgcc_s.so.1"
        if os.path.exists(unwind) and unwind not in libs:
            libs.append(unwind)
    for lib in libs:
        ar.file(lib, lib, 0o755)


def add_folder(ar, dest, source, ending=""):
    """The programs of a folder, if it is there."""
    ar.dir(dest)
    if os.path.isdir(source):
        for name in sorted(os.listdir(source)):
            if name.endswith(ending):
                ar.file(f"{dest}/{name}", os.path.join(source, name), 0o755)


def _modules_dep(name):
    """modules.dep of a kernel: module name -> (path, paths it depends on)."""
    root = kernel(name, "modules")
    dep = {}
    with open(os.path.join(root, "modules.dep")) as f:
        for line in f:
            path, _, rest = line.partition(":")
            base = os.path.basename(path).split(".ko")[0].replace("-", "_")
            dep[base] = (path, rest.split())
    return root, dep


# What is loaded first comes last, as in modules.dep.
DRIVERS_NEED = ("virtio", "virtio_ring")


def add_drivers(ar, kernel_name, dest, built_in):
    """Our drivers for a guest's kernel; returns lines for modules.dep."""
    folder = os.path.join(BUILD, "guest-drivers", kernel_name)
    if not os.path.exists(os.path.join(folder, "rf_bus.ko")):
        raise Missing(f"there are no drivers for {kernel_name}; run "
                      f"make guest-drivers GUEST={kernel_name}")
    add_folder(ar, dest, folder, ".ko")
    deps = " ".join(n + ".ko" for n in DRIVERS_NEED if n not in built_in)
    return [f"{name}: {deps}" for name in sorted(os.listdir(folder))
            if name.endswith(".ko")]


def add_modules(ar, kernel_name, names, version, drivers=False):
    """Modules of a Debian kernel with all they depend on, for modprobe."""
    dest = f"lib/modules/{version}"
    ar.dir(dest)
    lines = []
    done = set()
    if drivers:
        names = [*names, *DRIVERS_NEED]
    if names:
        root, dep = _modules_dep(kernel_name)
        by_path = {path: base for base, (path, _) in dep.items()}
    todo = [n.replace("-", "_") for n in names]
    while todo:
        name = todo.pop()
        if name in done:
            continue
        done.add(name)
        if name not in dep:
            if name in builtin(root):
                continue
            raise Missing(f"kernel {kernel_name} has no module {name}")
        path, deps = dep[name]
        with open(os.path.join(root, path), "rb") as f:
            data = f.read()
        if path.endswith(".xz"):
            data = lzma.decompress(data)
        flat = [os.path.basename(p).split(".ko")[0] + ".ko"
                for p in [path] + deps]
        ar.data(f"{dest}/{flat[0]}", data)
        lines.append(f"{flat[0]}: {' '.join(flat[1:])}")
        todo += [by_path[p] for p in deps]
    if drivers:
        lines += add_drivers(ar, kernel_name, dest, builtin(root))
    ar.data(f"{dest}/modules.dep", ("\n".join(lines) + "\n").encode())


def builtin(root):
    with open(os.path.join(root, "modules.builtin")) as f:
        return {os.path.basename(line.strip())[:-3].replace("-", "_")
                for line in f}


def guest_initrd(files=(), programs=(), modules=(), kernels=(), drivers=False):
    """Path of the guests' initrd.cpio.gz, made anew only when it changes."""
    ar = Archive()
    add_base(ar)
    guest = os.path.join(TOP, "tests/boot/guest")
    ar.file("init", os.path.join(guest, "init"), 0o755)
    for name in sorted(os.listdir(guest)):
        if name.endswith(".sh"):
            ar.file("tests/" + name, os.path.join(guest, name), 0o755)
    ar.file("lib/guest.sh", os.path.join(guest, "guest.lib"))
    ar.file("lib/usual-warnings", os.path.join(guest, "usual-warnings"))
    add_folder(ar, "progs", os.path.join(BUILD, "progs"))
    for dest, source in programs:
        add_program(ar, dest, source)
    for dest, source in files:
        ar.file(dest, source)
    if modules or drivers:
        for name in kernels:
            with open(kernel(name, "version")) as f:
                add_modules(ar, name, modules, f.read().strip(), drivers)
    raw = ar.bytes()
    path = os.path.join(BUILD, "vm", "guest-%s.cpio.gz" %
                        hashlib.sha256(raw).hexdigest()[:16])
    if not os.path.exists(path):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        tmp = f"{path}.{os.getpid()}"
        with open(tmp, "wb") as f:
            f.write(gzip.compress(raw, 1, mtime=0))
        os.replace(tmp, path)
    return path


def host_initrd(opts, env):
    """The bytes of the host VM's initramfs."""
    ar = Archive()
    add_base(ar)
    host = os.path.join(HARNESS, "host")
    ar.file("init", os.path.join(host, "init"), 0o755)
    ar.file("lib/rf.sh", os.path.join(host, "rf.sh"))
    ar.data("etc/rf.env", "".join(
        f"export {k}='{v}'\n" for k, v in env.items()).encode())
    if opts.script:
        ar.file("test", opts.script, 0o755)
    with open(kernel(opts.host, "version")) as f:
        add_modules(ar, opts.host, opts.module, f.read().strip())

    ko = os.path.join(BUILD, "modules", opts.host, "ringfence.ko")
    if os.path.exists(ko):
        ar.file("ringfence.ko", ko)
    launcher = os.path.join(BUILD, "ringfence")
    if os.path.exists(launcher):
        add_program(ar, "bin/ringfence", launcher)
    add_folder(ar, "guest", os.path.join(BUILD, "guest"), ".elf")
    add_folder(ar, "progs", os.path.join(BUILD, "progs"))
    add_folder(ar, "kunit", os.path.join(BUILD, "modules", opts.host, "kunit"))
    for name in opts.guest:
        ar.file(f"guests/{name}/vmlinuz", kernel(name), 0o644)
    if opts.guest:
        ar.file("guests/initrd.cpio.gz", guest_initrd(
            opts.guest_file, opts.guest_bin, opts.guest_module, opts.guest,
            opts.guest_drivers))
    for dest, source in opts.bin:
        add_program(ar, dest, source)
    for dest, source in opts.file:
        ar.file(dest, source)
    return ar.bytes()
