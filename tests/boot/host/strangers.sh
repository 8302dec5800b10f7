#!/bin/sh
# Two users, and root: what is one's is not the other's.  Needs
# --bin build/host/strangers.
. /lib/rf.sh
kernel=/guest/spin.elf
plan 17

echo "alice:x:1001:1001:alice:/tmp:/bin/sh" >>/etc/passwd
echo "bob:x:1002:1002:bob:/tmp:/bin/sh" >>/etc/passwd
chmod 0755 /run /guest
chmod 1777 /tmp
chmod 0666 /dev/ringfence
for uid in 1001 1002; do
	mkdir -p /run/user/$uid
	chown $uid:$uid /run/user/$uid
	chmod 0700 /run/user/$uid
done

# as USER COMMAND: with a run directory as a login gives it
as() {
	su "$1" -s /bin/sh -c "export XDG_RUNTIME_DIR=/run/user/\$(id -u); $2" </dev/null
}

if strangers >/tmp/fds.log 2>&1; then ok "descriptors"; else not_ok "descriptors"; fi
sed 's/^/    /' /tmp/fds.log

pid_of() { as "$1" "ringfence info $2 --json" | sed -n 's/.*"pid":\([0-9]*\).*/\1/p'; }
listed() { as "$1" "ringfence list $3" 2>/dev/null | grep -q "^$2 "; }

as alice "exec ringfence run --name hers -k $kernel -m 32M -p ms=900000" >/tmp/hers.log 2>&1 &
check "one's guest runs, and is listed" await 30 listed alice hers
pid=$(pid_of alice hers)
sock=/run/user/1001/ringfence/hers.sock

check "another does not see it" eval "! listed bob hers"

# denied WORDS COMMAND: bob is told so, and it fails
denied() {
	as bob "timeout 30 $2" >/tmp/denied.log 2>&1
	status=$?
	show /tmp/denied.log
	[ $status != 0 ] && [ $status -lt 124 ] && grep -qE "$1" /tmp/denied.log
}
there="--run-dir /run/user/1001/ringfence"
for verb in info stats kill stop pause console; do
	denied "no guest|somebody else" "ringfence $verb hers $there" || break
done
check "nor kills it, nor stops it, nor reads its console" [ "$verb" = console ]

# Its directory is open, and so is its socket: the launcher still asks who it is.
chmod 0755 /run/user/1001
check "the socket is closed, where the directory is not" denied "somebody else" "ringfence kill hers $there"
chmod 0777 $sock
check "the launcher knows who asks" denied "somebody else" "ringfence kill hers $there"
chmod 0700 /run/user/1001

check "bob may trace what is his" as bob 'sleep 50 & strangers attach $!'
check "but not that launcher, nor look into it, nor kill it" \
	eval "! as bob 'strangers attach $pid || kill -9 $pid || cat /proc/$pid/maps || ls /proc/$pid/fd' 2>/dev/null"
check "it still runs" listed alice hers
as alice "ringfence kill hers"

# Root starts one for a user.
ringfence run --user alice --name given -k $kernel -m 32M -p ms=900000 >/tmp/given.log 2>&1 </dev/null &
check "a guest that root gave her is hers" await 30 listed alice given
check "and not his" eval "! listed bob given && denied 'no guest|somebody else' 'ringfence kill given --run-dir /run/ringfence/1001'"
as alice "ringfence kill given"
wait

# What root finds in her directory may be anything.
hers=/run/ringfence/1001
echo secret >/tmp/victim
chmod 0600 /tmp/victim
# links: each time she puts a link where the socket was just made
links() {
	as alice "exec strangers plant $hers trap /tmp/victim" &
	n=0
	while [ $n -lt "${LINKS:-40}" ]; do
		rm -f $hers/trap.sock
		timeout 10 ringfence run --user alice --name trap -k $kernel -m 32M \
			>/dev/null 2>&1 </dev/null &
		run=$!
		usleep 200000
		kill -9 $run 2>/dev/null
		n=$((n + 1))
	done
	for p in $(pidof strangers); do kill -9 "$p"; done
	wait
	ls -ln /tmp/victim
	[ "$(stat -c %u /tmp/victim)" = 0 ]
}
check "no link of hers makes root hand her a file" links
rm -f $hers/*

# nobody_came: a link to a socket of root's does not make root talk to it
nobody_came() {
	strangers listen /tmp/roots '{}' &
	listener=$!
	await 30 test -S /tmp/roots
	as alice "ln -s /tmp/roots $hers/link.sock"
	ringfence list
	ringfence kill link
	kill $listener 2>/dev/null
}
check "nor talk to a third" nobody_came
rm -f $hers/*

# ends SECONDS: list does, whatever she does
ends() {
	timeout "$1" ringfence list >/tmp/list.log 2>&1
	case $? in 124 | 143) false ;; esac
}
locked() {
	as alice "strangers listen $hers/dead.sock x & sleep 1; kill \$!; exec strangers hold $hers" &
	sleep 3
	ends 20
	status=$?
	for p in $(pidof strangers); do kill -9 "$p"; done
	return $status
}
check "nor wait for a lock of hers" locked
rm -f $hers/*

dripped() {
	as alice "exec strangers drip $hers/drip.sock" &
	await 30 test -S $hers/drip.sock
	ends 40
	status=$?
	for p in $(pidof strangers); do kill -9 "$p"; done
	return $status
}
check "nor for an answer that never ends" dripped
rm -f $hers/*

# What she promised to do next comes never: both verbs say so, and end.
promised() {
	for name in kill stop; do
		as alice "exec strangers drip $hers/$name.sock '{\"ok\":true,\"asked\":\"poweroff\",\"listens\":true}
'" &
		await 30 test -S "$hers/$name.sock"
		{
			timeout 120 ringfence $name $name >/tmp/$name.log 2>&1
			echo $? >/tmp/$name.status
		} &
	done
	bad=0
	for name in kill stop; do
		await 130 test -s /tmp/$name.status
		show /tmp/$name.log
		[ "$(cat /tmp/$name.status)" = 1 ] || bad=1
	done
	for p in $(pidof strangers); do kill -9 "$p"; done
	return $bad
}
check "nor for what never follows" promised
rm -f $hers/*

# Nor is the terminal hers.
tame() {
	as alice "exec strangers listen $hers/esc.sock '{\"ok\":true,\"name\":\"a\\u001b]0;b\\u009bc\"}
'" &
	await 30 test -S $hers/esc.sock
	ringfence list >/tmp/list.log 2>&1
	show /tmp/list.log
	grep -q '^a?' /tmp/list.log && ! tr -d '\n' </tmp/list.log | grep -q '[[:cntrl:]]'
}
check "nor obey what she answers" tame
done_testing
