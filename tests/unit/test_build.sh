#!/bin/sh
# Test of what was built: what the module shows to its callers, what it needs
# from others, and how it is hardened.
# SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
set -u
LC_ALL=C
export LC_ALL
module=.libs/pam_selfreset.so
nss=.libs/libnss_selfreset.so.2
tool=selfresetctl
publisher=selfreset-publish
helper=selfreset-helper
client=selfreset
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
grep -Ev '^(libc|libpam|libcrypt|libaudit)\.so[.0-9]*$' \
    "$work/needed" >"$work/is"
echo "and no others" | tee -a "$work/should" >>"$work/is"
same "the module needs these libraries"
grep -E '^(libc|libpam|libcrypt)\.so' "$work/needed" |
    sed 's/\.so.*//' | sort >"$work/is"
printf '%s\n' libc libcrypt libpam >"$work/should"
same "the module names the libraries that it uses"
has_not "the module has no search path of its own" $module \
    '\((RPATH|RUNPATH)\)'

# It makes the calls of the module over functions of its own.
has_not "the helper is not linked with libpam" $helper 'NEEDED.*libpam'

# The NSS module is in everybody's process.
printf '_nss_selfreset_%s\n' endspent getspent_r getspnam_r initgroups_dyn \
    setspent >"$work/should"
nm -D --defined-only $nss | awk '{ print $3 }' | sort >"$work/is"
same "the NSS module exports its five functions and nothing else"
echo libc.so.6 >"$work/should"
readelf --wide --dynamic $nss | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' \
    >"$work/is"
same "the NSS module needs libc and nothing else"
echo libnss_selfreset.so.2 >"$work/should"
readelf --wide --dynamic $nss | sed -n 's/.*(SONAME).*\[\(.*\)\]/\1/p' \
    >"$work/is"
same "the NSS module has the name that glibc looks for"
# No stdio, no locale, no environment, no thread, no log; of allocation, only
# the room for a caller's groups.
allowed='__errno_location|__stack_chk_fail|clock_gettime|realloc'
allowed="$allowed|open(64)?|pread(64)?|close|readlink|fstat(64)?|__fxstat(64)?"
allowed="$allowed|bcmp|mem(cpy|cmp|chr|set|move)|str(n?len|n?cmp|n?cpy|chr|pbrk)"
allowed="$allowed|stpn?cpy"
nm -D --undefined-only $nss | awk '{ print $2 }' |
    sed 's/@.*//; s/^__\([a-z]*\)\(64\)\{0,1\}_chk$/\1\2/; s/^__open_2$/open/; s/^__open64_2$/open/' |
    grep -Evx "$allowed" >"$work/is"
echo "and no others" | tee "$work/should" >>"$work/is"
same "the NSS module calls these functions"
has_not "the NSS module has no variable of a thread" $nss '^ *TLS '
has_not "the NSS module starts and ends nothing" $nss \
    '\((INIT|FINI|INIT_ARRAY|FINI_ARRAY|PREINIT_ARRAY)\)'
has_not "the NSS module has no search path of its own" $nss \
    '\((RPATH|RUNPATH)\)'
echo 2 >"$work/should"
readelf --wide --program-headers $nss | grep -c '^ *LOAD ' >"$work/is"
same "the NSS module is mapped in two pieces"

for file in $module $nss; do
    has "$file stays loaded" "$file" 'Flags:.*NODELETE'
done
for file in $module $nss $tool $publisher $helper $client; do
    has "$file: relocations are read-only" "$file" 'GNU_RELRO'
    has "$file: symbols are bound at the start" "$file" 'BIND_NOW|Flags:.* NOW'
    has "$file: the stack is not executable" "$file" 'GNU_STACK .* RW '
    has_not "$file: no code is relocated" "$file" 'TEXTREL'
    uses "$file: a guard is on the stack" "$file" __stack_chk_fail
    # The C library fortifies only what is optimized.
    # The NSS module calls nothing that could overrun: each bound is known.
    if [ "$file" != $nss ] &&
        sed -n 's/^CFLAGS = //p' Makefile | grep -q -- '-O[1-9s]'; then
        uses "$file: calls are fortified" "$file" '__[a-rt-z][a-z]*_chk'
    fi
done

# Backends with heavy libraries are modules, of which one name is seen.
is_built() {
    grep -q "^pkglib_LTLIBRARIES = .*$1.la" Makefile ||
        { grep -q "^am__append.* = $1.la" Makefile; }
}
for backend in ldap ldap-gssapi; do
    is_built $backend || continue
    file=.libs/$backend.so
    echo selfreset_backend >"$work/should"
    nm -D --defined-only $file | awk '{ print $3 }' >"$work/is"
    same "$backend exports its operations and nothing else"
    has "$backend stays loaded" $file 'Flags:.*NODELETE'
    has "$backend uses libldap" $file 'NEEDED.*libldap'
    has "$backend: relocations are read-only" $file 'GNU_RELRO'
    has "$backend: symbols are bound at the start" $file \
        'BIND_NOW|Flags:.* NOW'
    has_not "$backend has no search path of its own" $file \
        '\((RPATH|RUNPATH)\)'
    case $backend in
    ldap) has_not "$backend loads neither Kerberos nor what it asks DNS by" \
        $file 'NEEDED.*(krb5|gssapi|resolv)' ;;
    *) has "$backend loads Kerberos" $file 'NEEDED.*libgssapi_krb5' ;;
    esac
done

# make uninstall takes the module from under no stack.
MAKEFLAGS=
export MAKEFLAGS
away() {
    ${MAKE:-make} -s "$1" DESTDIR="$work/root" sysconfdir=/etc \
        pamdir=/modules nssdir=/nss >"$work/log" 2>&1
}
away install || cat "$work/log"
ls "$work/root/nss" >"$work/is"
echo libnss_selfreset.so.2 >"$work/should"
same "make install puts the NSS module where it belongs, and no link"
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
if away uninstall && [ ! -e "$work/root/modules/pam_selfreset.so" ] &&
    [ ! -e "$work/root/nss/libnss_selfreset.so.2" ]; then
    echo "ok: make uninstall removes modules that are not used"
else
    echo "FAILED: make uninstall removes modules that are not used"
    cat "$work/log"
    status=1
fi
exit $status
