#!/bin/sh
# ringfence vcpus: stock guests let go of vCPUs, and take them back.
. /lib/rf.sh
# shellcheck disable=SC2086
set -- $GUESTS
plan $(($# * 9 + 3))
cd /tmp || exit 1

run() {	# run KERNEL OPTION...
	kernel=$1
	shift
	rm -f status
	{
		ringfence run --name g -k "/guests/$kernel/vmlinuz" -i /guests/initrd.cpio.gz \
			-m 256M -c 4 "$@" >log 2>&1 </dev/null
		echo $? >status
	} &
}
in_time() {	# in_time TEXT: until the guest's console has it
	left=${GUEST_TIMEOUT:-300}
	until grep -q "$1" log; do
		left=$((left - 1))
		[ $left -gt 0 ] && [ ! -s status ] || return 1
		sleep 1
	done
}
says() { ringfence vcpus g --json | grep -q "\"vcpus\":4,\"wanted\":$1,\"online\":$2,"; }
# asked N WORD: it does so, and the guest has noticed
asked() { ringfence vcpus g "$1" --timeout 200 >out && says "$1" "$1" && in_time "RFGUEST-AT $2"; }
refused() { ringfence vcpus g "$1" 2>err; [ $? = "$2" ] && grep -q "$3" err; }

for kernel; do
	run "$kernel" -p "console=hvc0 panic=-1 rf.test=vcpus"
	check "$kernel: boots with four" in_time "RFGUEST-AT four"
	check "$kernel: all of them are up" says 4 4
	check "$kernel: asked for two" asked 2 two
	check "$kernel: none is refused" refused 0 2 'from 1 to'
	check "$kernel: more than it has are refused" refused 5 1 'it has 4 vCPUs'
	check "$kernel: that changed nothing" says 2 2
	check "$kernel: asked for one" asked 1 one
	check "$kernel: asked for all" asked 4 end
	wait
	show log
	tr -d '\r' <log | sed -n 's/^.*RFTEST \(not ok\|ok\) /    \1 /p'
	check "$kernel: it ends well" eval '[ "$(cat status)" = 0 ] && [ "$(guest_verdict log)" = 0 ]'
done

# A guest in which nobody switches on what comes.
run "$1" -p "console=hvc0 panic=-1 rf.test=tour rf.seconds=1000"
check "another boots" in_time TOUR
check "it lets go" ringfence vcpus g 2 --timeout 200
ringfence vcpus g 3 --timeout 3 2>err
check "what it does not switch on is complained of" \
	eval "[ $? = 1 ] && grep -q '2 vCPUs are up and not 3.*has to switch them on' err"
cat err
ringfence kill g >/dev/null
wait
done_testing
