# In the host VM: go along with a program that measures in steps in a guest.

stats() { echo "BENCH stats $1 $(ringfence stats bench --json)"; }

# Follow the guest's console; answer each of its pauses once the counters are
# read.  The pipe to the guest's keyboard is fd 3.
follow() {
	while read -r line; do
		case $line in
		*"OPS-READY "*|*"OPS-DONE "*)
			# shellcheck disable=SC2086
			set -- ${line#*OPS-}
			stats "$1 $2 $3"
			echo >&3 ;;
		*"{\"op\""*) echo "BENCH guest {${line#*\{}" ;;
		"SYMBOLS "*) echo "BENCH guest-symbols ${line#SYMBOLS }" ;;
		"STAMP "*) echo "BENCH guest-boot ${line#STAMP } $began" ;;
		*) echo "guest: $line" ;;
		esac
	done
}

# For tests/bench/profile: what is where, in the kernel this runs on.
symbols() {
	[ -z "$SYMBOLS" ] || gzip -c /proc/kallsyms | base64 -w 1000 | sed 's/^/BENCH symbols /'
}
