#!/bin/sh
# Check the message of a commit (default HEAD): "room: Verb phrase", a body
# that is prose, and no trailers.
set -eu

bad=0
say() { echo "$1"; bad=1; }

for commit in $(git rev-list --no-walk "${@:-HEAD}"); do
	subject=$(git log -1 --format=%s "$commit")
	id=$(git log -1 --format=%h "$commit")
	echo "$subject" | grep -qE '^[a-z][a-z0-9/_.-]*: [A-Z]|^[A-Z][A-Za-z.]*: [A-Z]' ||
		say "$id: subject is not \"room: Verb phrase\": $subject"
	[ ${#subject} -le 75 ] || say "$id: subject is longer than 75"
	if git log -1 --format=%B "$commit" | grep -qE '^(Signed-off|Co-authored|Reviewed|Acked)-by:'; then
		say "$id: has a trailer"
	fi
	git log -1 --format=%B "$commit" | awk 'length > 75 && !/^ /{ bad = 1 } END { exit bad }' ||
		say "$id: a line of its message is longer than 75"
done
exit $bad
