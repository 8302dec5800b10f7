# SPDX-License-Identifier: GPL-2.0
# Completion of ringfence-drivers for bash.

_ringfence_drivers() {
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}
	local options="--kernel --kernel-file --output --drivers --source --headers --modules
		--remove --json --help"

	COMPREPLY=()
	case $prev,$cur in
	-k,*|--kernel,*)
		mapfile -t COMPREPLY < <(compgen -W "$(ls /lib/modules 2>/dev/null)" -- "$cur") ;;
	--drivers,*|--source,*|--headers,*|--modules,*)
		mapfile -t COMPREPLY < <(compgen -d -- "$cur") ;;
	*,-*)
		mapfile -t COMPREPLY < <(compgen -W "$options" -- "$cur") ;;
	*)
		mapfile -t COMPREPLY < <(compgen -f -- "$cur") ;;
	esac
}
complete -F _ringfence_drivers ringfence-drivers
