# SPDX-License-Identifier: GPL-2.0
# Completion of ringfence for bash.

_ringfence() {
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}
	local verbs="run list info console pause resume stop reboot kill stats balloon inspect doctor version help"
	local verb=${COMP_WORDS[1]}

	COMPREPLY=()
	if [ "$COMP_CWORD" -eq 1 ]; then
		mapfile -t COMPREPLY < <(compgen -W "$verbs" -- "$cur")
		return
	fi
	case $prev in
	-k|--kernel|-i|--initrd|--extract|--ata|--cdrom)
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		return ;;
	--run-dir)
		mapfile -t COMPREPLY < <(compgen -d -- "$cur")
		return ;;
	--console)
		mapfile -t COMPREPLY < <(compgen -W "stdio socket none file:" -- "$cur")
		return ;;
	--balloon)
		mapfile -t COMPREPLY < <(compgen -W "auto auto,min=" -- "$cur")
		return ;;
	--serial)
		mapfile -t COMPREPLY < <(compgen -W "stdio file: socket:" -- "$cur")
		return ;;
	--seccomp)
		mapfile -t COMPREPLY < <(compgen -W "on off" -- "$cur")
		return ;;
	--user)
		mapfile -t COMPREPLY < <(compgen -u -- "$cur")
		return ;;
	-p|--cmdline|-m|--memory|-c|--cpus|--name|--timeout)
		return ;;
	esac
	case $verb,$cur in
	run,*)
		mapfile -t COMPREPLY < <(compgen -W "--kernel --initrd --cmdline \
			--memory --cpus --name --console --balloon --serial --ata --cdrom --no-reboot --seccomp \
			--user --run-dir --json" -- "$cur") ;;
	inspect,-*)
		mapfile -t COMPREPLY < <(compgen -W "--extract --json" -- "$cur") ;;
	inspect,*)
		mapfile -t COMPREPLY < <(compgen -f -- "$cur") ;;
	doctor,*|version,*)
		mapfile -t COMPREPLY < <(compgen -W "--json" -- "$cur") ;;
	balloon,-*)
		mapfile -t COMPREPLY < <(compgen -W "--timeout --json --run-dir" -- "$cur") ;;
	stop,-*)
		mapfile -t COMPREPLY < <(compgen -W "--timeout --force --json --run-dir" -- "$cur") ;;
	reboot,-*)
		mapfile -t COMPREPLY < <(compgen -W "--timeout --json --run-dir" -- "$cur") ;;
	*,-*)
		mapfile -t COMPREPLY < <(compgen -W "--json --run-dir" -- "$cur") ;;
	info,*|console,*|pause,*|resume,*|stop,*|reboot,*|kill,*|stats,*|balloon,*)
		mapfile -t COMPREPLY < <(compgen -W "$(ringfence list 2>/dev/null |
			sed -n '2,$s/ .*//p')" -- "$cur") ;;
	esac
}
complete -F _ringfence ringfence
