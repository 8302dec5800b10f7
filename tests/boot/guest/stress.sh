#!/bin/sh
# One set of stress-ng's stressors, each checking its own work.
. /lib/guest.sh

seconds=$(option seconds)
seconds=${seconds:-10}

run() {
	stress-ng --verify --timeout "${seconds}s" --metrics-brief --oomable \
		--no-rand-seed "$@" >/tmp/stress 2>&1
	status=$?
	grep -E 'fail|error|unsuccessful' /tmp/stress && return 1
	[ $status = 0 ] || tail -n 5 /tmp/stress
	[ $status = 0 ]
}

set=$(option set)
case $set in
memory)
	check "vm" run --vm 2 --vm-bytes 64M --vm-method all
	check "mmap" run --mmap 2 --mmap-bytes 32M
	check "mremap" run --mremap 2 --mremap-bytes 16M
	check "mprotect" run --mprotect 2
	check "brk and stack" run --brk 1 --stack 1 --brk-notouch
	check "shm" run --shm 1 --shm-bytes 16M --memfd 1 --memfd-bytes 16M
	check "fault" run --fault 2
	check "madvise" run --madvise 2
	check "mincore and mlock" run --mincore 1 --mlock 1
	check "fork-heavy" run --fork 4 --vfork 2
	check "copy on write" run --sigsegv 2 --userfaultfd 1 ;;
process)
	check "fork and exec" run --fork 4 --exec 2
	check "clone" run --clone 2
	check "pthread" run --pthread 2
	check "context switches" run --switch 4 --yield 4
	check "futex and semaphores" run --futex 2 --sem 2
	check "pipes" run --pipe 4
	check "signals" run --signal 2 --sigsegv 2 --sigq 2 --sigpending 2
	check "ptrace" run --ptrace 2
	check "kill" run --kill 2
	check "timers" run --timer 2 --timerfd 2 --itimer 2
	check "poll" run --poll 2 --epoll 2 --eventfd 2 ;;
cpu)
	check "cpu" run --cpu 4
	check "vector" run --vecmath 2 --matrix 2
	check "x86 system calls" run --x86syscall 2 --vdso 2
	check "clocks" run --clock 2 --cyclic 1
	check "nanosleep" run --nanosleep 4
	check "atomics" run --atomic 2 --lockbus 2
	check "cpu migration" run --affinity 4
	check "getcpu" run --get 2 --membarrier 2
	check "bad pointers" run --sysbadaddr 2
	check "modify_ldt and friends" run --opcode 2 ;;
esac
check "its log is clean" clean_log
end
