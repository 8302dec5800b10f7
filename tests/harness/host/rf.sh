# Helpers for test scripts in the host VM: ". /lib/rf.sh".
#
#	plan 2
#	check "a guest boots" guest_run 6.1-cloud uname
#	check "and is gone"   test ! -e /run/ringfence/g
#	done_testing

RF_N=0
RF_FAILED=0

plan() { echo "KTAP version 1"; echo "1..$1"; }
ok() { RF_N=$((RF_N + 1)); echo "ok $RF_N $*"; }
not_ok() { RF_N=$((RF_N + 1)); RF_FAILED=$((RF_FAILED + 1)); echo "not ok $RF_N $*"; }
skip() { RF_N=$((RF_N + 1)); echo "ok $RF_N $1 # SKIP $2"; }
note() { echo "# $*"; }

# check NAME COMMAND...: one case, passed if the command succeeds
check() {
	rf_case=$1
	shift
	if "$@"; then ok "$rf_case"; else not_ok "$rf_case"; fi
}

done_testing() {
	[ "$RF_FAILED" = 0 ]
	exit
}

# await SECONDS COMMAND...: until it succeeds, or for so long
await() {
	left=$1
	shift
	until "$@" >/dev/null 2>&1; do
		left=$((left - 1))
		[ $left -gt 0 ] || return 1
		sleep 1
	done
}

# Show what a guest printed.  Lines with this prefix are not searched for
# kernel trouble: a guest may say what it likes.
show() { tr -d '\r' <"$1" | sed "s/^/guest: /"; }

# watch LOG COMMAND...: run it, show what it prints as it comes, keep it in LOG
watch() {
	watch_log=$1
	shift
	{
		"$@" 2>&1 </dev/null
		echo $? >"$watch_log.status"
	} | tee "$watch_log" | awk '{ gsub(/\r/, ""); print "guest: " $0; fflush() }'
	return "$(cat "$watch_log.status")"
}

# The guest's verdict, from the marker its init printed.
guest_verdict() {
	tr -d '\r' <"$1" | sed -n 's/^.*RFGUEST-EXIT \([0-9]*\).*/\1/p' | tail -n 1
}

# guest_run KERNEL TEST [OPTION...]: boot a guest, run tests/boot/guest/TEST.sh
# in it and show its console.  OPTIONs go to "ringfence run"; GUEST_CMDLINE is
# added to its command line, GUEST_TIMEOUT (seconds) bounds it.
guest_run() {
	kernel=$1 test=$2
	shift 2
	log=/tmp/guest-$kernel-$test.$$.$RF_N.log
	GUEST_LOG=$log
	watch "$log" timeout "${GUEST_TIMEOUT:-300}" ringfence run \
		-k "/guests/$kernel/vmlinuz" -i "${GUEST_INITRD:-/guests/initrd.cpio.gz}" \
		-p "console=hvc0 panic=-1 rf.test=$test $GUEST_CMDLINE" "$@"
	status=$?
	# What it checked is a subtest here.
	tr -d '\r' <"$log" | sed -n 's/^.*RFTEST \(not ok\|ok\) /    \1 /p'
	verdict=$(guest_verdict "$log")
	[ "$status" = 0 ] || note "launcher exit status $status"
	[ "$verdict" = 0 ] || note "guest verdict: ${verdict:-none}"
	[ "$status" = 0 ] && [ "$verdict" = 0 ]
}

# guest_elf NAME [OPTION...]: run a one-file guest and pass on its KTAP lines,
# indented, as a subtest.  It passes if every result it planned came, as ok.
guest_elf() {
	elf=$1
	shift
	log=/tmp/elf-$elf.$RF_N.log
	timeout "${GUEST_TIMEOUT:-60}" ringfence run -k "/guest/$elf.elf" \
		"$@" >"$log" 2>&1 </dev/null
	status=$?
	echo "    # Subtest: $elf"
	tr -d '\r' <"$log" | sed -nE '/^(not ok|ok|1\.\.)/s/^/    /p'
	show "$log"
	[ "$status" = 0 ] || note "$elf: launcher exit status $status"
	plan=$(tr -d '\r' <"$log" | sed -n 's/^1\.\.\([0-9]*\).*/\1/p' | tail -n 1)
	came=$(tr -d '\r' <"$log" | grep -cE '^(not )?ok [0-9]')
	[ "$came" = "${plan:-x}" ] || note "$elf: planned ${plan:-nothing}, $came came"
	[ "$status" = 0 ] && [ "$came" = "${plan:-x}" ] && ! grep -q '^not ok' "$log"
}

# A guest that runs tests/boot/guest/media.sh, and what it has said about a disk:
#
#	media_run --disk a.img,serial=read-a &
#	check "it reads" media_says "SUM read-a"
#	check "what is there" [ "$(media_told "SUM read-a")" = "$sum" ]
MEDIA_LOG=/tmp/media.log
: >$MEDIA_LOG

# No message of its kernel comes between: there is one for each error of a disk.
media_run() {
	watch $MEDIA_LOG timeout "${GUEST_TIMEOUT:-400}" ringfence run \
		-k "/guests/${GUESTS%% *}/vmlinuz" -i /guests/initrd.cpio.gz --name media \
		-m 256M -p "console=hvc0 panic=-1 loglevel=1 rf.test=media" "$@"
}

# Until it has said all of the line, or is no more.
media_says() {
	until grep -q "^$1.*$(printf '\r')" $MEDIA_LOG; do
		[ ! -e $MEDIA_LOG.status ] || return 1
		sleep 0.2
	done
}
media_told() { tr -d '\r' <$MEDIA_LOG | sed -n "s/^$1 \(.*\)/\1/p"; }
