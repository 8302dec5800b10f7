#!/bin/sh
# The machine's own apt entries for its suite's main, for mmdebstrap.
set -eu
# shellcheck source=/dev/null
suite=$(. /etc/os-release && echo "$VERSION_CODENAME")
sources=$(apt-get indextargets \
	--format 'deb $(REPO_URI) $(RELEASE) $(COMPONENT)|$(RELEASE)|$(COMPONENT)' \
	'Created-By: Packages' |
	sed -nE "s/\|$suite(-updates|-security)?\|main\$//p" | sort -u)
[ -n "$sources" ] || { echo "no apt entry for $suite main" >&2; exit 1; }
echo "$sources"
