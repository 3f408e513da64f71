#!/bin/sh
# Test of the manual pages and the installed configuration: what they say of
# keys and events is what the program's own tables say.
# SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
set -u
LC_ALL=C
export LC_ALL
top=${srcdir:-.}
tables=tests/unit/print_tables
work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT
status=0

# same WHAT: $work/is must be $work/should.
same() {
    if [ -s "$work/should" ] && diff -u "$work/should" "$work/is"; then
        echo "ok: $1"
    else
        echo "FAILED: $1"
        status=1
    fi
}

# Each key in selfreset.conf(5): section, key, values and defaults, in order.
"$tables" keys | awk -F '\t' '{
    print $1 "." $2
    print "Value: " $5 "."
    print "Default: " $3 ($4 == $3 ? "" : "; with profile ad: " $4) "."
}' >"$work/should"
awk '/^\.Ss \[/ { section = $2; gsub(/[][\\&]/, "", section) }
     /^\.Sh/ { section = "" }
     section != "" && /^\.It Cm / { print section "." $3 }
     section != "" && /^(Value|Default): / {
         text = $0
         while (text !~ /\.$/ && (getline more) > 0)
             text = text " " more
         print text
     }' \
    "$top/man/selfreset.conf.5" >"$work/is"
same "selfreset.conf(5)"

# Each option of another module that the configuration answers by its own key.
awk '/^static const struct/ { on = 0 } /^} foreign/ { on = 1 } on && /^};/ { exit } on' \
    "$top/policy/config/nearest.c" | grep -v -e ARGUMENT -e min_age |
    grep -o '^    {"[A-Za-z_]*"' | tr -d ' {"' | sort >"$work/should"
sed -n '/^\.Sh MIGRATION/,/^\.Sh FILES/p' "$top/man/selfreset.conf.5" |
    sed -n 's/^\.It Li //p' | sed 's/ , /\n/g' | sort -u >"$work/is"
same "migration in selfreset.conf(5)"

# The installed file shows each default; backends have sections of their own.
"$tables" keys | awk -F '\t' '
    $1 == "backend" { next }
    $1 != last { print "[" $1 "]"; last = $1 }
    { print "#" $2 " =" ($3 == "none" ? "" : " " $3) }' >"$work/should"
grep -E '^(\[|#[a-z_]+ =)' "$top/tools/selfreset.conf" >"$work/is"
same "selfreset.conf"
sed 's/^#\([a-z_]* =\)/\1/' "$top/tools/selfreset.conf" >"$work/plain.conf"
if "$tables" load "$top/tools/selfreset.conf" &&
    "$tables" load "$work/plain.conf"; then
    echo "ok: selfreset.conf can be read"
else
    echo "FAILED: selfreset.conf can be read"
    status=1
fi

# Each event in selfreset-events(7).
"$tables" events | awk -F '\t' '
    BEGIN { split("emerg alert crit err warning notice info debug", name, " ") }
    {
        print ".It Sy " $1 " " $2
        print toupper(substr($6, 1, 1)) substr($6, 2) "."
        print "Severity " name[$3 + 1] ";" \
            ($4 == "-" ? " no audit record." : " audit " $4 ".")
        print ".br"
        print ".Li " $5
    }' >"$work/should"
sed -n '/^\.It Sy SR-/,/^\.El/p' man/selfreset-events.7 |
    grep -v '^\.El' >"$work/is"
same "selfreset-events(7)"

# Each message id in the catalog of the journal, once, with a text.
"$tables" events | awk -F '\t' '{ print $5 " " $1 " " $2 }' | sort \
    >"$work/should"
awk '/^-- / { id = $2; next } /^Subject: / { print id " " $2 " " $3 }' \
    man/selfreset.catalog | sort >"$work/is"
same "the journal's catalog"
if command -v journalctl >/dev/null 2>&1; then
    mkdir -p "$work/root/usr/lib/systemd/catalog" "$work/root/var/lib/systemd/catalog"
    cp man/selfreset.catalog "$work/root/usr/lib/systemd/catalog/"
    if journalctl --root="$work/root" --update-catalog >"$work/log" 2>&1 &&
        ! grep -q . "$work/log"; then
        echo "ok: journalctl reads the catalog"
    else
        cat "$work/log"
        echo "FAILED: journalctl reads the catalog"
        status=1
    fi
fi

# Each option of pam_selfreset(8), from the table in the source.
sed -n '/^const char \*const sr_args_names/,/^};/p' "$top/pam/options.c" |
    grep -o '"[a-z_=]*"' | tr -d '"=' >"$work/should"
sed -n '/^\.Sh OPTIONS/,/^\.Sh MODULE/p' "$top/man/pam_selfreset.8" |
    awk '/^\.It Cm / { print $3 }' >"$work/is"
same "pam_selfreset(8)"

# Each command of selfresetctl with its options, as it says itself, in its page,
# and as bash completes it.
./selfresetctl --help | sed -n '/^Commands:/,/^$/s/^  \([a-z-]*\) .*/\1/p' |
    while read -r command; do
        echo "$command"
        ./selfresetctl "$command" --help | sed '/^$/,$d' |
            grep -o -- '--[a-z-]*' | sed "s/^/$command /"
    done | sort >"$work/should"
awk '/^\.Sh/ { on = $2 == "SYNOPSIS"; command = "" }
     on && /^\.Cm / { command = $2; print command }
     command != "" {
         while (match($0, /Fl Fl [a-z-]+/)) {
             print command " --" substr($0, RSTART + 6, RLENGTH - 6)
             $0 = substr($0, RSTART + RLENGTH)
         }
     }' "$top/man/selfresetctl.8" | sort >"$work/is"
same "selfresetctl(8)"
{
    sed -n '/local commands=/,/"$/p' "$top/tools/selfresetctl.bash" |
        sed 's/.*commands=//' | tr -d '"' | tr ' ' '\n' | grep .
    sed -n 's/^ *\([a-z-]*\)) options="\(.*\) --help" ;;$/\1 \2/p' \
        "$top/tools/selfresetctl.bash" |
        while read -r command options; do
            for option in $options; do
                echo "$command $option"
            done
        done
} | sort >"$work/is"
same "completion of selfresetctl"
# zsh: each command with its options; fish: the same, by what it would offer.
{
    sed -n '/commands=(/,/)/p' "$top/tools/_selfresetctl" |
        sed 's/.*commands=//' | tr -d '()' | tr ' ' '\n' | grep .
    sed -n 's/^ *(\([a-z|-]*\)) options=(\(.*\) --help) ;;$/\1 \2/p' \
        "$top/tools/_selfresetctl" |
        while read -r names options; do
            for name in $(echo "$names" | tr '|' ' '); do
                for option in $options; do
                    echo "$name $option"
                done
            done
        done
} | sort >"$work/is"
same "completion for zsh"
{
    sed -n 's/^set -l commands //p' "$top/tools/selfresetctl.fish" | tr ' ' '\n'
    commands=$(sed -n 's/^set -l commands //p' "$top/tools/selfresetctl.fish")
    sed -n 's/.*-n "__fish_seen_subcommand_from \([^"]*\)".* -l \([a-z-]*\).*/\2 \1/p' \
        "$top/tools/selfresetctl.fish" |
        while read -r option names; do
            # shellcheck disable=SC2016
            [ "$names" != '$commands' ] || names=$commands
            for name in $names; do
                echo "$name --$option"
            done
        done
} | sort >"$work/is"
same "completion for fish"
./selfreset-publish --help | grep -o -- '--[a-z-]*' | sort -u >"$work/should"
grep -o 'Fl Fl [a-z-]*' "$top/man/selfreset-publish.8" | sed 's/Fl Fl /--/' |
    sort -u >"$work/is"
same "selfreset-publish(8)"

# Commands that texts tell people to run, and configurations that they show.
{
    grep -ohE 'selfresetctl (--config [^ ]+ )?[a-z]+(-[a-z]+)?' \
        "$top/README.md" "$top"/man/*
    find "$top/tools" "$top/policy" "$top/nss" "$top/pam" -name '*.c' |
        xargs grep -ohE '"selfresetctl (--config [^ ]+ )?[a-z]+(-[a-z]+)?' |
        tr -d '"'
} | sed 's/--config [^ ]* //' | sort -u >"$work/is"
./selfresetctl --help | sed -n '/^Commands:/,/^$/s/^  \([a-z-]*\) .*/\1/p' |
    sed 's/^/selfresetctl /' | grep -xF -f "$work/is" | sort >"$work/should"
same "commands that texts name"
awk '/^    +\[[a-z]/ { on = 1 } /^( |  |   )?[^ ]/ { on = 0 } on' \
    "$top/README.md" | sed 's/^ *//' >"$work/readme.conf"
# A program that was built without Kerberos knows no realms.
grep -q '^#define HAVE_KRB5' config.h ||
    sed -i -e '/^\[backend realm\]/,/^$/d' -e '/^\[backend domain\]/,/^$/d' \
        -e 's/ \(realm\|domain\)$//' "$work/readme.conf"
awk '/^\.Sh EXAMPLES/ { is_here = 1 } is_here && /^\.Ed/ { exit } on
     is_here && /^\.Bd/ { on = 1 }' \
    "$top/man/selfreset.conf.5" >"$work/page.conf"
for file in readme page; do
    if grep -q '^\[' "$work/$file.conf" &&
        "$tables" load "$work/$file.conf"; then
        echo "ok: the configuration in $file"
    else
        echo "FAILED: the configuration in $file"
        status=1
    fi
done

# Each page names the others.
for page in libnss_selfreset.8 pam_selfreset.8 selfreset-events.in \
    selfreset-helper.8 selfreset-publish.8 selfreset-recipes.7 selfreset.1 \
    selfreset.conf.5 selfresetctl.8; do
    for other in libnss_selfreset.8 pam_selfreset.8 selfreset-events.7 \
        selfreset-helper.8 selfreset-publish.8 selfreset-recipes.7 \
        selfreset.1 selfreset.conf.5 selfresetctl.8; do
        [ "${page%.*}" = "${other%.*}" ] ||
            echo ".Xr ${other%.*} ${other##*.}"
    done >"$work/should"
    awk '/^\.Sh/ { on = $2 " " $3 == "SEE ALSO" } on' "$top/man/$page" |
        sed 's/ ,$//' | grep -xF -f "$work/should" | sort >"$work/is"
    sort -o "$work/should" "$work/should"
    same "what $page names"
done

# Pages without a fault of form; other pages need not be installed.  On a
# terminal of 80 columns, for which man uses 78, no line is wider.
if command -v mandoc >/dev/null 2>&1; then
    for page in "$top"/man/*.[1-8] man/selfreset-events.7; do
        {
            mandoc -T lint -W style "$page" 2>/dev/null |
                grep -v -e 'referenced manual not found' \
                    -e 'selfreset-events.7:.* longer than 80 bytes'
            mandoc -T ascii -O width=78 "$page" | sed 's/.\x08//g' |
                grep -E '.{79}' | sed 's/^/too wide: /'
            mandoc -T utf8 "$page" | grep '‘’' | sed 's/^/empty: /'
        } >"$work/faults"
        if [ -s "$work/faults" ]; then
            cat "$work/faults"
            echo "FAILED: form of ${page##*/}"
            status=1
        else
            echo "ok: form of ${page##*/}"
        fi
    done
fi
exit $status
