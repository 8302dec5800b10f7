"""Run QEMU, watch its consoles, and end it."""

import ctypes
import os
import re
import selectors
import shutil
import signal
import socket
import subprocess
import tempfile
import time

from . import image
from .console import Lines


def qemu_version(qemu):
    out = subprocess.run([qemu, "--version"], text=True, check=True,
                         capture_output=True).stdout
    return tuple(int(n) for n in re.search(r"version (\d+)\.(\d+)", out).groups())


def find_qemu():
    qemu = os.environ.get("RF_QEMU") or shutil.which("qemu-system-x86_64")
    if not qemu:
        raise image.Missing("qemu-system-x86_64 is missing; run tests/setup.sh")
    return qemu


def smap_wanted(opts, version):
    """SMAP needs a QEMU whose IRETQ in ring 3 reads its stack as a user."""
    if version >= (9, 1):
        return opts.smap or "on"
    if opts.smap == "on":
        raise image.Missing("QEMU %d.%d gets SMAP wrong; 9.1 or newer is "
                            "needed for --smap on" % version)
    print("rfvm: QEMU %d.%d: running with smap=off" % version)
    return "off"


def die_with_parent():
    """However the harness ends, QEMU ends with it."""
    pr_set_pdeathsig = 1
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)


def kernel_cmdline(opts):
    words = ["console=ttyS0", "tsc=reliable", "panic=-1", "oops=panic",
             "sysrq_always_enabled", "rdinit=/init", "loglevel=7"]
    if opts.host == "debug":
        words += ["panic_on_warn=1", "kunit.enable=1"]
    if opts.icount:
        words.append("nokaslr")
    words.append("pti=on" if opts.pti else "")
    words += opts.append
    return " ".join(w for w in words if w)


def qemu_args(opts, qemu, initrd):
    cpu = ["max", "la57=" + ("on" if opts.la57 else "off"),
           "smap=" + smap_wanted(opts, qemu_version(qemu))] + opts.cpu
    args = [qemu, "-nodefaults", "-no-user-config", "-display", "none",
            "-no-reboot", "-m", opts.mem, "-cpu", ",".join(cpu),
            "-kernel", image.kernel(opts.host), "-initrd", initrd,
            "-append", kernel_cmdline(opts)]
    if opts.icount:
        args += ["-accel", "tcg,thread=single", "-smp", "1",
                 "-icount", "shift=0,sleep=off", "-rtc", "clock=vm"]
    else:
        args += ["-accel", "tcg,thread=multi", "-smp", str(opts.smp)]
    if opts.gdb:
        args += ["-gdb", f"tcp:127.0.0.1:{opts.gdb}"]
    for i, path in enumerate(opts.drive):
        path = image.need(path, "the case's make target makes it")
        args += ["-drive", f"file={path},if=none,id=disk{i},format=raw,snapshot=on",
                 "-device", f"virtio-blk-pci,drive=disk{i}"]
    return args + opts.qemu_arg


class Vm:
    """One run of the host VM."""

    def __init__(self, opts, log, verdict):
        self.opts = opts
        self.log = log
        self.verdict = verdict
        self.tail = []
        self.timed_out = False
        self.dir = tempfile.mkdtemp(prefix="vm.", dir=image.BUILD)

    def _args(self, env):
        initrd = os.path.join(self.dir, "initrd")
        with open(initrd, "wb") as f:
            f.write(image.host_initrd(self.opts, env))
        return qemu_args(self.opts, find_qemu(), initrd)

    def run_interactive(self, env):
        try:
            args = self._args(env) + ["-serial", "mon:stdio",
                                      "-serial", "null"]
            return subprocess.call(args)
        finally:
            shutil.rmtree(self.dir, ignore_errors=True)

    def run(self, env):
        ours, theirs = {}, {}
        for name in ("kernel", "test", "monitor"):
            ours[name], theirs[name] = socket.socketpair()
        try:
            args = self._args(env)
            for name in ("kernel", "test", "monitor"):
                args += ["-chardev",
                         f"socket,id={name},fd={theirs[name].fileno()}"]
            args += ["-serial", "chardev:kernel", "-serial", "chardev:test",
                     "-mon", "chardev=monitor,mode=readline"]
            proc = subprocess.Popen(
                args, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                preexec_fn=die_with_parent,
                pass_fds=[s.fileno() for s in theirs.values()])
            for s in theirs.values():
                s.close()
            try:
                self._watch(proc, ours)
            finally:
                if proc.poll() is None:
                    proc.kill()
                proc.wait()
        finally:
            for s in ours.values():
                s.close()
            shutil.rmtree(self.dir, ignore_errors=True)

    def _watch(self, proc, ours):
        self._monitor = ours["monitor"]
        self._kernel = ours["kernel"]
        sel = selectors.DefaultSelector()
        for name, s in ours.items():
            sel.register(s, selectors.EVENT_READ, (name, Lines()))
        sel.register(proc.stdout, selectors.EVENT_READ, ("qemu", Lines()))
        deadline = time.monotonic() + self.opts.timeout
        grace = None
        while sel.get_map():
            now = time.monotonic()
            if grace is not None and now > grace:
                return
            if grace is None and now > deadline:
                self.timed_out = True
                self._post_mortem()
                grace = now + 8
            for key, _ in sel.select(timeout=0.5):
                name, lines = key.data
                try:
                    data = os.read(key.fd, 65536)
                except ConnectionResetError:
                    data = b""
                for line in lines.feed(data) if data else lines.flush():
                    self._line(name, line)
                if not data:
                    sel.unregister(key.fileobj)
            if proc.poll() is not None and grace is None:
                grace = time.monotonic() + 1

    def _line(self, name, line):
        if name == "monitor":
            if self.timed_out and re.match(r"CPU#|RIP=|RAX=|CR0=", line):
                self._write("monitor: " + line)
            return
        if name == "kernel":
            trouble = not self.timed_out and self.verdict.kernel_line(line)
            self._write(line)
            if trouble or self.opts.verbose:
                self._show(line)
        elif name == "qemu":
            self._write("qemu: " + line)
            self._show("qemu: " + line)
        else:
            self.verdict.test_line(line)
            self._write(line)
            if line.startswith("RFVM-MONITOR "):
                self.command(line.split(" ", 1)[1])
            else:
                self._show(line)

    def _write(self, line):
        self.log.write(line + "\n")
        self.log.flush()
        self.tail = self.tail[-60:] + [line]

    def _show(self, line):
        if not self.opts.quiet:
            print(line, flush=True)

    def command(self, text):
        """A command for QEMU's monitor."""
        try:
            self._monitor.send(text.encode() + b"\n")
        except OSError:
            pass

    def _post_mortem(self):
        """Ask where every CPU is, by QEMU and by the kernel, into the log."""
        self.command("info registers -a")
        for key in b"l", b"w":
            self.command("chardev-send-break kernel")
            time.sleep(0.3)
            try:
                self._kernel.send(key)
            except OSError:
                pass
            time.sleep(0.7)
