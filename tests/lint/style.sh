#!/bin/sh
# checkpatch --strict over every source.  Files that passed are remembered by
# content, so only what changed is looked at.
set -eu

top=$(cd "$(dirname "$0")/../.." && pwd)
build=${RF_BUILD:-$top/build}
cd "$top"
scripts=$(tests/lint/linux-scripts.sh)
passed=$build/lint/style
mkdir -p "$passed"
bad=0

# The types to overlook for a file, from tests/lint/style-ignore.
overlook() {
	list=
	while read -r pattern types _; do
		# shellcheck disable=SC2254
		case $1 in $pattern) list=$list,$types ;; esac
	done <<END
$(grep -v '^#' tests/lint/style-ignore)
END
	echo "${list#,}"
}

for file in $(find host-module guest-drivers uapi userland tests \
		\( -name '*.[ch]' -o -name '*.S' \) ! -name 'asm-offsets.h' 2>/dev/null | sort); do
	ignore=$(overlook "$file")
	sum=$( (echo "$file $ignore"; cat "$file") | sha256sum | cut -c1-32)
	[ ! -e "$passed/$sum" ] || continue
	# It leaves notes of its own in the directory it runs in.
	if (cd "$passed" && "$scripts/checkpatch.pl" --no-tree --strict --terse --no-summary \
		--show-types --ignore "$ignore" -f "$top/$file" >"$sum.new" 2>/dev/null); then
		mv "$passed/$sum.new" "$passed/$sum"
	else
		sed "s|^$top/||" "$passed/$sum.new"
		bad=1
	fi
done

# Scripts at least parse.
for file in $(git ls-files '*.sh' .ci/run); do
	[ ! -e "$file" ] || sh -n "$file" || bad=1
done
for file in $(git ls-files '*.py' tests/harness/rfvm tests/harness/check); do
	[ ! -e "$file" ] ||
		python3 -c 'import ast,sys; ast.parse(open(sys.argv[1]).read(), sys.argv[1])' "$file" || bad=1
done
exit $bad
