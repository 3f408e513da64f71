#!/bin/sh
# The order of the folders: no file includes a file of a folder above its own;
# no two units (a source and the header of its name) include each other,
# directly or around; policy/decide includes nothing that can do I/O.
# SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
set -eu
cd "${srcdir-.}"
# For the test of this test: where the folders are.
cd "${SR_TREE-.}"

# FILE INCLUDED, one pair a line; system headers keep their brackets.
pairs() {
	find policy pam nss tools helper -name '*.[ch]' 2>/dev/null | sort |
	    xargs grep -n '^ *# *include' /dev/null |
	    sed -n -e 's/^\([^:]*\):[0-9]*: *# *include *"\([^"]*\)".*/\1 \2/p' \
	        -e 's/^\([^:]*\):[0-9]*: *# *include *\(<[^>]*>\).*/\1 \2/p'
}

pairs | awk '
# The folder of a file, as the order knows it.
function folder(file, part, n) {
	n = split(file, part, "/")
	if (part[1] == "policy" && n > 2)
		return "policy/" part[2]
	return part[1]
}
# A source and the header of its name are one unit.
function unit(file) {
	sub(/\.[ch]$/, "", file)
	return file
}
function fault(text) {
	print text
	bad = 1
}
# Depth-first: a unit that is on the path already closes a circle.
function visit(u, path, i, n, list) {
	if (state[u] == 2)
		return
	if (state[u] == 1) {
		fault("circle: " path " " u)
		return
	}
	state[u] = 1
	n = split(edges[u], list, " ")
	for (i = 1; i <= n; i++)
		visit(list[i], path " " u)
	state[u] = 2
}
BEGIN {
	rank["policy/util"] = 0
	rank["policy/decide"] = rank["policy/config"] = rank["policy/wire"] = 1
	rank["policy/backend"] = 2
	rank["policy/throttle"] = rank["policy/store"] = 3
	rank["policy/password"] = rank["policy/report"] = 3
	rank["policy/account"] = rank["policy/publish"] = 4
	rank["policy/reset"] = 5
	rank["pam"] = rank["nss"] = rank["tools"] = 6
	rank["helper"] = 7 # makes the calls of pam/ for others
	n = split("arpa/inet.h ctype.h errno.h inttypes.h limits.h stdbool.h " \
	    "stddef.h stdint.h string.h sys/types.h config.h", name, " ")
	for (i = 1; i <= n; i++)
		pure["<" name[i] ">"] = 1
	n = split("bytes ctime siphash text time utf8", name, " ")
	for (i = 1; i <= n; i++)
		pure["policy/util/" name[i] ".h"] = 1
}
{
	files++
	from = folder($1)
	if (!(from in rank))
		fault($1 ": its folder has no place in the order")
	if (from == "policy/decide" && folder($2) != from && !($2 in pure))
		fault($1 ": includes " $2 ", which may do I/O")
	if ($2 ~ /^</)
		next
	to = folder($2)
	if (!(to in rank))
		fault($1 ": includes " $2 ", whose folder has no place in the order")
	else if (rank[to] > rank[from])
		fault($1 ": includes " $2 ", of a folder above its own")
	else if (from != to && rank[to] == 6 && (from != "helper" || to != "pam"))
		fault($1 ": includes " $2 ", of another interface")
	if (unit($1) != unit($2))
		edges[unit($1)] = edges[unit($1)] " " unit($2)
}
END {
	if (files < 100)
		fault("only " files + 0 " includes were found")
	for (u in edges)
		visit(u, "")
	exit bad
}'
