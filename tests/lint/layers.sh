#!/bin/sh
# Check the include rules of host-module/ against tests/lint/layers.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
cd "$here/../../host-module"
rules=$here/layers
bad=0

room() {
	case $1 in
	../uapi/*) echo uapi ;;
	*/*) echo "${1%%/*}" ;;
	*) echo "${1%.*}" ;;
	esac
}

allowed() { sed -n "s/^may $1:[[:space:]]*//p" "$rules"; }

for file in $(find . -name '*.[chS]' ! -name 'asm-offsets.h' | sed 's|^\./||' | sort); do
	from=$(room "$file")
	grep -q "^may $from:" "$rules" || {
		echo "$file: no rule \"may $from\" in tests/lint/layers"
		bad=1
		continue
	}
	may=" $from $(allowed "$from") "
	for inc in $(sed -n 's/^#[[:space:]]*include[[:space:]]*"\([^"]*\)".*/\1/p' "$file"); do
		path=$(realpath -m --relative-to=. "$(dirname "$file")/$inc")
		to=$(room "$path")
		case $may in
		*" $to "*) ;;
		*)	echo "$file: includes $path, but $from may include only:$may"
			bad=1 ;;
		esac
	done
done

while IFS= read -r line; do
	files=${line%% : *}
	regex=${line#* : }
	skip=
	for f in ${files#only }; do skip="$skip ! -path ./$f"; done
	# shellcheck disable=SC2086
	found=$(find . -name '*.[chS]' $skip -exec grep -nE "$regex" {} + || true)
	[ -z "$found" ] || {
		echo "$found" | sed "s|^\./||; s|\$|   <- only in ${files#only }|"
		bad=1
	}
done <<END
$(grep '^only ' "$rules")
END
exit $bad
