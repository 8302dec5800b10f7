#!/bin/sh
# Print what is longer than style.md is easy about.  Never fails.
cd "$(dirname "$0")/../.." || exit 0

files=$(git ls-files 'host-module/*.[chS]' 'guest-drivers/*.[ch]' 'uapi/*.h' 'userland/*.[ch]' 'tests/*.[ch]')

awk '
	FNR == 1 { flush_file(); file = FILENAME; infn = 0 }
	{ lines = FNR }
	# A function starts at "{" in column one and ends at "}" there.
	/^[a-z].*\(/ && !/;[ \t]*$/ { name = $0; sub(/\(.*/, "", name); sub(/.*[ *]/, "", name) }
	/^\{/ { infn = 1; start = FNR; deepest = 0 }
	infn {
		match($0, /^\t*/)
		if (RLENGTH > deepest && !/^\t*[^a-zA-Z}]*$/ && /^\t*(if|for|while|switch|do|else|return|[a-z_]+\()/) deepest = RLENGTH
	}
	/^\}/ && infn {
		n = FNR - start - 1
		len[++nf] = n
		infn = 0
		if (n > 60) printf "function  %4d lines (60)  %s %s()\n", n, file, name
		if (deepest > 5) printf "nesting   %4d deep  (4)   %s %s()\n", deepest - 1, file, name
	}
	function flush_file() {
		if (!file) return
		limit = file ~ /\.h$/ ? 150 : file ~ /\.S$/ ? 600 : 800
		if (lines > limit) printf "file      %4d lines (%d) %s\n", lines, limit, file
		split(file, part, "/")
		folder = part[1]
		total[folder] += lines
		if (folder == "host-module" && part[3]) room[part[2]] += lines
	}
	END {
		flush_file()
		for (i = 2; i <= nf; i++)
			for (j = i; j > 1 && len[j - 1] > len[j]; j--) { t = len[j]; len[j] = len[j - 1]; len[j - 1] = t }
		for (r in room) if (room[r] > 3000) printf "room      %4d lines (3000) host-module/%s\n", room[r], r
		print ""
		for (f in total) printf "%-14s %6d lines%s\n", f, total[f], f == "host-module" ? " (12000)" : ""
		for (r in room) printf "  %-12s %6d lines\n", r, room[r]
		if (nf) printf "functions: %d, median %d, p90 %d, longest %d lines\n", nf, len[int((nf + 1) / 2)], len[int(nf * 0.9) ? int(nf * 0.9) : 1], len[nf]
	}
' $files /dev/null
exit 0
