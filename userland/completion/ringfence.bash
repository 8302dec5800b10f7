# SPDX-License-Identifier: GPL-2.0
# Completion of ringfence for bash.

_ringfence_options() {
	case $1 in
	run)
		echo --kernel --initrd --cmdline --memory --cpus --name --console --disk \
			--net --balloon --serial --ata --cdrom --no-reboot --seccomp --user \
			--run-dir --json ;;
	inspect)
		echo --kernel --extract --json ;;
	doctor|version)
		echo --json ;;
	console)
		echo --run-dir ;;
	stop|detach-disk)
		echo --timeout --force --run-dir --json ;;
	reboot|balloon|vcpus)
		echo --timeout --run-dir --json ;;
	list|info|pause|resume|kill|stats|disks|attach-disk)
		echo --run-dir --json ;;
	esac
}

_ringfence() {
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}
	local verbs="run list info console pause resume stop reboot kill stats disks
		attach-disk detach-disk balloon vcpus inspect doctor version help"
	local verb=${COMP_WORDS[1]}

	COMPREPLY=()
	if [ "$COMP_CWORD" -eq 1 ]; then
		mapfile -t COMPREPLY < <(compgen -W "$verbs" -- "$cur")
		return
	fi
	case $prev in
	-k|--kernel|-i|--initrd|--extract|--disk|--ata|--cdrom)
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
	--net)
		mapfile -t COMPREPLY < <(compgen -W "if=" -- "$cur")
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
	run,*|*,-*)
		mapfile -t COMPREPLY < <(compgen -W "$(_ringfence_options "$verb")" -- "$cur") ;;
	inspect,*)
		mapfile -t COMPREPLY < <(compgen -f -- "$cur") ;;
	attach-disk,*|detach-disk,*)
		_ringfence_disk "$verb" "$prev" "$cur" ;;
	info,*|console,*|pause,*|resume,*|stop,*|reboot,*|kill,*|stats,*|disks,*|balloon,*|vcpus,*)
		mapfile -t COMPREPLY < <(compgen -W "$(_ringfence_guests)" -- "$cur") ;;
	esac
}

_ringfence_guests() {
	ringfence list 2>/dev/null | sed -n '2,$s/ .*//p'
}

# A guest, and then a file or one of its disks.
_ringfence_disk() {
	if [ "$COMP_CWORD" -eq 2 ]; then
		mapfile -t COMPREPLY < <(compgen -W "$(_ringfence_guests)" -- "$3")
	elif [ "$1" = attach-disk ]; then
		mapfile -t COMPREPLY < <(compgen -f -- "$3")
	else
		mapfile -t COMPREPLY < <(compgen -W "$(ringfence disks "$2" 2>/dev/null |
			awk 'NR > 1 { print $1; if ($2 != "-") print $2 }')" -- "$3")
	fi
}
complete -F _ringfence ringfence
