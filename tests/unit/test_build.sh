#!/bin/sh
# Test of what was built: what the module shows to its callers, what it needs
# from others, and how it is hardened.
# SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
set -u
LC_ALL=C
export LC_ALL
module=.libs/pam_selfreset.so
tool=selfresetctl
status=0

for program in nm readelf; do
    command -v $program >/dev/null 2>&1 || {
        echo "skipped: $program is missing"
        exit 77
    }
done
work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT

# same WHAT: $work/is must be $work/should.
same() {
    if [ -s "$work/should" ] && diff -u "$work/should" "$work/is"; then
        echo "ok: $1"
    else
        echo "FAILED: $1"
        status=1
    fi
}

# has WHAT FILE PATTERN: readelf shows it in the file.
has() {
    if readelf --wide --dynamic --program-headers "$2" | grep -Eq "$3"; then
        echo "ok: $1"
    else
        echo "FAILED: $1"
        status=1
    fi
}

# has_not WHAT FILE PATTERN
has_not() {
    if readelf --wide --dynamic --program-headers "$2" >"$work/all" &&
        [ -s "$work/all" ] && ! grep -E "$3" "$work/all"; then
        echo "ok: $1"
    else
        echo "FAILED: $1"
        status=1
    fi
}

# uses WHAT FILE PATTERN: a function of libc that hardened code calls.
uses() {
    if nm -D --undefined-only "$2" | grep -Eq " U $3(@|\$)"; then
        echo "ok: $1"
    else
        echo "FAILED: $1"
        status=1
    fi
}

printf '%s\n' pam_sm_acct_mgmt pam_sm_authenticate pam_sm_chauthtok \
    pam_sm_close_session pam_sm_open_session pam_sm_setcred >"$work/should"
nm -D --defined-only $module | awk '{ print $3 }' | sort >"$work/is"
same "the module exports the six functions of PAM and nothing else"

# libpwquality is opened only while a password is changed; libaudit is optional.
: >"$work/should"
readelf --wide --dynamic $module | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' \
    >"$work/needed"
grep -Ev '^(libc|libpam|libcrypt|liblmdb|libinih|libaudit)\.so[.0-9]*$' \
    "$work/needed" >"$work/is"
echo "and no others" | tee -a "$work/should" >>"$work/is"
same "the module needs these libraries"
grep -E '^(libc|libpam|libcrypt|liblmdb|libinih)\.so' "$work/needed" |
    sed 's/\.so.*//' | sort >"$work/is"
printf '%s\n' libc libcrypt libinih liblmdb libpam >"$work/should"
same "the module names the libraries that it uses"
has_not "the module has no search path of its own" $module \
    '\((RPATH|RUNPATH)\)'

has "the module stays loaded" $module 'Flags:.*NODELETE'
for file in $module $tool; do
    has "$file: relocations are read-only" "$file" 'GNU_RELRO'
    has "$file: symbols are bound at the start" "$file" 'BIND_NOW|Flags:.* NOW'
    has "$file: the stack is not executable" "$file" 'GNU_STACK .* RW '
    has_not "$file: no code is relocated" "$file" 'TEXTREL'
    uses "$file: a guard is on the stack" "$file" __stack_chk_fail
    # The C library fortifies only what is optimized.
    if sed -n 's/^CFLAGS = //p' Makefile | grep -q -- '-O[1-9s]'; then
        uses "$file: calls are fortified" "$file" '__[a-rt-z][a-z]*_chk'
    fi
done

# make uninstall takes the module from under no stack.
MAKEFLAGS=
export MAKEFLAGS
away() {
    ${MAKE:-make} -s "$1" DESTDIR="$work/root" sysconfdir=/etc \
        pamdir=/modules >"$work/log" 2>&1
}
away install || cat "$work/log"
mkdir -p "$work/root/etc/pam.d"
echo 'auth required pam_selfreset.so' >"$work/root/etc/pam.d/sshd"
if ! away uninstall && [ -e "$work/root/modules/pam_selfreset.so" ] &&
    grep -q 'used by: .*/pam\.d/sshd' "$work/log"; then
    echo "ok: make uninstall leaves a module that is used"
else
    echo "FAILED: make uninstall leaves a module that is used"
    status=1
fi
echo '# auth required pam_selfreset.so' >"$work/root/etc/pam.d/sshd"
if away uninstall && [ ! -e "$work/root/modules/pam_selfreset.so" ]; then
    echo "ok: make uninstall removes a module that is not used"
else
    echo "FAILED: make uninstall removes a module that is not used"
    cat "$work/log"
    status=1
fi
exit $status
