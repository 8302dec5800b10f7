#!/bin/sh
# What is counted and traced while a guest boots.
. /lib/rf.sh
kernel=${GUESTS%% *}
plan 18
tracing=/sys/kernel/tracing

echo 16384 >$tracing/buffer_size_kb
echo 1 >$tracing/events/ringfence/enable
check "a guest boots with every tracepoint on" guest_run "$kernel" uname -m 256M -c 2
echo 0 >$tracing/events/ringfence/enable
cat $tracing/trace >/tmp/trace
for event in enter exit hypercall page_fault bounce_trap event_raise upcall \
	     shadow_create shadow_drop out_of_sync resync flush; do
	check "rf_$event: $(grep -m 1 "rf_$event:" /tmp/trace | sed 's/.*rf_[a-z_]*: //')" \
		grep -q " rf_$event: vm=[0-9]" /tmp/trace
done

# A guest that is killed says so in the trace too.
echo >$tracing/trace
echo 1 >$tracing/events/ringfence/rf_kill/enable
ringfence run --name victim -k "/guests/$kernel/vmlinuz" -i /guests/initrd.cpio.gz \
	-p "console=hvc0 panic=-1 rf.test=busy rf.seconds=600" -m 256M >/tmp/victim.log 2>&1 </dev/null &
left=120
while ! grep -q RFGUEST-INIT /tmp/victim.log && [ $left -gt 0 ]; do
	left=$((left - 1))
	sleep 1
done
run_ns() { ringfence stats victim --json | sed -n 's/.*"run_ns":[[:space:]]*\([0-9]*\).*/\1/p'; }
first=$(run_ns)
sleep 2
check "a guest that runs is seen to run" test "$(($(run_ns) - first))" -gt 100000000
counters() { awk '{ sum[$2] += $3 } END { for (c in sum) print c, sum[c] }' /sys/kernel/debug/ringfence/*-victim/counters; }
counters >/tmp/counters
check "shadows are counted as they go" grep -q '^shadow_drop [1-9]' /tmp/counters
ringfence kill victim
wait
check "rf_kill" grep -q 'rf_kill: vm=[0-9]* killed by its owner' $tracing/trace
check "faults are bounced in the switcher" grep -q '^fast_fault [1-9]' /tmp/counters
check "its counters are gone with it" test ! -e /sys/kernel/debug/ringfence/*-victim
done_testing
