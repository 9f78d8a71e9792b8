#!/usr/bin/env bash
# watched.sh COMMAND…: runs it, and kills it with all of its group when standard input ends: when whoever started it ended, however it did.
# An interrupt is the command's business: its exit code is ours.
exec 3<&0 </dev/null
(trap "" INT TERM; cat <&3; kill -KILL -- "-$$") >/dev/null 2>&1 &
watch=$!
exec 3<&-
trap : INT TERM
"$@"
code=$?
kill -KILL "$watch"
exit "$code"
