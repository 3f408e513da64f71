# Makes selfreset-events(7) from policy/report/events.def: man/selfreset-events.in with
# the catalogue at the line @EVENTS@.
# SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later

BEGIN {
    split("emerg alert crit err warning notice info debug", severity, " ")
}

# The catalogue: an entry goes over lines and ends with a bracket.
FILENAME ~ /events\.def$/ {
    if ($0 ~ /^EVENT\(/ || entry != "")
        entry = entry $0
    if (entry ~ /"\)$/) {
        # id 2, name 4, severity 5, audit type 6, message id 8, text 10
        split(entry, part, "\"")
        number = part[5]
        gsub(/[ ,]/, "", number)
        line = ".It Sy " part[2] " " part[4] "\n"
        line = line toupper(substr(part[10], 1, 1)) substr(part[10], 2) ".\n"
        line = line "Severity " severity[number + 1] ";"
        line = line (part[6] == "-" ? " no audit record" : " audit " part[6])
        line = line ".\n.br\n" ".Li " part[8] "\n"
        events = events line
        entry = ""
    }
    next
}

/^@EVENTS@$/ {
    printf "%s", events
    next
}

{ print }
