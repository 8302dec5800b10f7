#!/bin/sh
# Somebody looks at the host while a guest works: perf, kprobes, tracers.  Needs
# --bin build/host/sampler.
. /lib/rf.sh
kernel=${GUESTS%% *}
seconds=${SECONDS_IN:-8}
tracing=/sys/kernel/tracing
plan 10

# look_at NAME COMMAND...: while a guest works
look_at() {
	looked=$1
	shift
	rm -f /tmp/work.log /tmp/work.status
	{
		GUEST_CMDLINE="rf.seconds=$((seconds + ${EXTRA:-2})) rf.cpus=2" \
			guest_run "$kernel" busy -c 2 -m 256M >/tmp/work.log
		echo $? >/tmp/work.status
	} &
	left=200
	while ! grep -q RFGUEST-INIT /tmp/work.log 2>/dev/null && [ ! -e /tmp/work.status ]; do
		left=$((left - 1))
		[ $left -gt 0 ] || break
		sleep 1
	done
	check "$looked" "$@"
	wait
	cat /tmp/work.log
	check "$looked: a guest works on" test "$(cat /tmp/work.status)" = 0
}

look_at "perf samples all CPUs" sampler "$seconds"

# Every function of the module that can be probed, and some of the host's it calls.
probe_all() {
	: >/tmp/probes
	grep ' [tT] .*\[ringfence\]$' /proc/kallsyms | awk '{ print $3 }' | grep -v '[.$]' |
	sort -u | while read -r name; do
		echo "p:rf/p_$name ringfence:$name" >>$tracing/kprobe_events 2>/dev/null &&
			echo "$name" >>/tmp/probes
	done
	for name in get_user_pages_fast hrtimer_start_range_ns wake_up_process vfs_write; do
		echo "r:rf/r_$name $name" >>$tracing/kprobe_events 2>/dev/null
	done
	note "$(wc -l </tmp/probes) functions of the module have probes"
	echo 1 >$tracing/events/rf/enable || return 1
	sleep "$seconds"
	echo 0 >$tracing/events/rf/enable
	hits=$(awk '{ hits += $2 } END { print hits + 0 }' $tracing/kprobe_profile)
	note "they were hit $hits times"
	echo >$tracing/kprobe_events
	[ "$(wc -l </tmp/probes)" -gt 100 ] && [ "$hits" -gt 1000 ]
}
look_at "kprobes everywhere" probe_all

trace_with() {	# trace_with TRACER FILTER
	grep -qw "$1" $tracing/available_tracers || { note "no tracer $1"; return 0; }
	echo "$2" >$tracing/set_ftrace_filter || return 1
	echo "$1" >$tracing/current_tracer || return 1
	echo 1 >$tracing/tracing_on
	sleep "$seconds"
	echo 0 >$tracing/tracing_on
	# A tracer takes its calls with it.
	seen=$(cat $tracing/per_cpu/cpu*/stats | awk '/^(entries|overrun):/ { n += $2 } END { print n + 0 }')
	echo nop >$tracing/current_tracer
	echo 1 >$tracing/tracing_on
	: >$tracing/set_ftrace_filter
	note "$seen calls traced by $1"
	echo >$tracing/trace
	[ "$seen" -gt 100 ]
}
look_at "the module's functions are traced" trace_with function ':mod:ringfence'
look_at "their graph is traced" trace_with function_graph ':mod:ringfence'
look_at "all functions are traced" trace_with function '*'
done_testing
