# What tests/run and tests/demo share: packages and builds.  Sourced by both.
# SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
# shellcheck shell=bash disable=SC2034

TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# Where everything is built; nothing is written outside of it but generated
# autotools files.
BUILD=${SELFRESET_BUILD_DIR:-$TOP/build-test}
JOBS=${SELFRESET_JOBS:-$(nproc)}
PYTHON=/usr/bin/python3
export PYTHONDONTWRITEBYTECODE=1

# What each command needs, as packages of Debian 12 and later.  None of them
# edits /etc/pam.d when it is installed (libpam-pwquality would).  The demo needs
# no directory, and so neither their libraries nor their servers.
PACKAGES_LOCAL="autoconf automake libtool make gcc libc6-dev pkg-config gettext
	libpam0g-dev libpwquality-dev libcrypt-dev libaudit-dev
	libacl1-dev"
PACKAGES_BUILD="$PACKAGES_LOCAL libldap-dev libsasl2-dev
	libkrb5-dev libcmocka-dev liboath-dev libsodium-dev libqrencode-dev"
PACKAGES_DEMO="openssh-server openssh-client sudo login passwd util-linux
	python3 python3-pexpect cracklib-runtime"
PACKAGES_DIRECTORY="slapd ldap-utils openssl"
PACKAGES_SYSTEM="openssh-server openssh-client sudo cron login passwd systemd
	util-linux iproute2 python3 python3-pytest python3-pexpect cracklib-runtime
	faketime dbus-daemon strace slapd ldap-utils 389-ds-base
	openssl libsasl2-modules-gssapi-mit libverto-libev1 xvfb xdotool locales
	oathtool openscap-scanner ssg-debderived ssg-debian ansible-core"
PACKAGES_PACKAGING="debhelper dh-nss dpkg-dev build-essential lintian
	debootstrap pkgconf systemd"
# Of a tree that the packages are installed in.
PACKAGES_TREE="systemd openssh-server sudo"
PACKAGES_CHECKS="clang valgrind gdb mandoc shellcheck xz-utils lmdb-utils
	rpm rpmlint selinux-policy-dev"

say() {
	printf '%s\n' "$*"
}

die() {
	printf '%s\n' "$*" >&2
	exit 1
}

must_be_root() {
	[ "$(id -u)" = 0 ] || die "$0 must be run by root: it starts a real sshd" \
		"and real logins in a private namespace."
}

# The names that a package can have: from Debian 13 on some libraries are named
# for their 64-bit times, at the end or behind the first number.
names_of() {
	printf '%s\n' "$1" "${1}t64"
	printf '%s\n' "$1" | sed -n 's/^[^-]*[0-9]/&t64/p'
}

# The packages of a list that are not installed.
missing_packages() {
	local package
	for package in "$@"; do
		# shellcheck disable=SC2046
		dpkg-query -W -f '${db:Status-Status}\n' $(names_of "$package") \
			2>/dev/null | grep -qx installed || printf '%s ' "$package"
	done
}

# clang's sanitizer and fuzzer runtime is a package of clang's own version.
clang_runtime() {
	local version
	version=$(clang -dumpversion 2>/dev/null | cut -d. -f1)
	[ -z "$version" ] || missing_packages "libclang-rt-$version-dev"
}

# A mirror that fails once is asked again, and whoever else installs is waited
# for.
apt_get() {
	apt-get -q -o Acquire::Retries=3 -o DPkg::Lock::Timeout=300 "$@"
}

apt_install() {
	local log="$BUILD/apt.log" status=0 policy=/usr/sbin/policy-rc.d
	local had_policy=no
	say "installing: $*"
	# No daemon starts on this machine because a test needs its program.
	if [ -e "$policy" ]; then
		had_policy=yes
	else
		printf '#!/bin/sh\nexit 101\n' >"$policy"
		chmod 755 "$policy"
	fi
	{ apt_get update || true; } >"$log" 2>&1
	DEBIAN_FRONTEND=noninteractive apt_get -y \
		-o Dpkg::Options::=--force-confold --no-install-recommends \
		install "$@" >>"$log" 2>&1 || status=$?
	[ "$had_policy" = yes ] || rm -f "$policy"
	[ "$status" = 0 ] || { tail -n 20 "$log" >&2; die "apt-get failed"; }
}

# install_packages LIST...: what is missing of the lists, if anything is.
install_packages() {
	local missing
	mkdir -p "$BUILD"
	command -v dpkg-query >/dev/null ||
		die "these scripts install Debian packages; on another system" \
			"build by hand, see README.md"
	# shellcheck disable=SC2086,SC2048
	missing=$(missing_packages $*)
	# shellcheck disable=SC2086
	[ -z "$missing" ] || apt_install $missing
}

# The names of packages on this release.
named_here() {
	local package name found
	for package in "$@"; do
		found=$package
		for name in $(names_of "$package"); do
			is_packaged "$name" || continue
			found=$name
			break
		done
		printf '%s\n' "$found"
	done
}

# is_packaged PACKAGE: whether this release has one of that name.
is_packaged() {
	apt-cache show "$1" 2>/dev/null | grep -q .
}

# is_here DIR PROGRAM: installed, or unpacked; some are in /sbin yet.
is_here() {
	[ -e "$2" ] || [ -e "$1$2" ] || [ -e "$1${2#/usr}" ]
}

# unpack DIR PROGRAM PACKAGE...: where a program is not installed, the packages
# with it, unpacked under BUILD/DIR, and the libraries that they need.
unpack() {
	local dir="$BUILD/$1" program=$2 package file libraries
	shift 2
	! is_here "$dir" "$program" || return 0
	mkdir -p "$dir"
	{ apt_get update || true; } >"$dir/apt.log" 2>&1
	# shellcheck disable=SC2046
	set -- $(named_here "$@")
	libraries=$(apt-cache depends "$@" | awk '$1 == "Depends:" &&
		$2 ~ /^lib/ && $2 !~ /^lib(js|pam|nss)-/ { print $2 }' | sort -u)
	install_packages "$libraries"
	(cd "$dir" && apt_get download "$@" &&
		for package in *.deb; do dpkg-deb -x "$package" . || exit 1; done) \
		>>"$dir/apt.log" 2>&1 || { tail -n 20 "$dir/apt.log" >&2; return 1; }
	# Both Kerberos have these; installing would choose one by a link.
	for file in "$dir"/usr/bin/*.mit "$dir"/usr/bin/*.heimdal; do
		[ ! -e "$file" ] ||
			ln -sf "${file##*/}" "${file%.*}" || return 1
	done
	is_here "$dir" "$program" || say "$program is not in $*" >&2
	is_here "$dir" "$program"
}

# The package of polkitd brings systemd along, which edits /etc/pam.d.
unpack_polkit() {
	unpack polkit /usr/lib/polkit-1/polkitd polkitd
}

# The package of a KDC asks for a configuration in /etc, and starts it at every
# boot.
unpack_kerberos() {
	unpack krb5 /usr/sbin/krb5kdc krb5-kdc krb5-admin-server krb5-user
}

# Those of sssd and nslcd edit /etc/pam.d and /etc/nsswitch.conf.
unpack_vendors() {
	unpack vendors /usr/sbin/nslcd sssd-common sssd-ldap libpam-sss libnss-sss \
		nslcd libpam-ldapd libnss-ldapd libpam-winbind libnss-winbind
}

# The same for Heimdal's, with the program that administers it.
unpack_heimdal() {
	unpack heimdal /usr/sbin/kcm heimdal-kdc heimdal-clients heimdal-kcm \
		libkadm5clnt7-heimdal
}

# Those of Samba start a domain controller at every boot, and edit /etc.  With
# what joins hosts to a domain, and what samba-tool needs of Python.
unpack_samba() {
	unpack samba /usr/sbin/samba samba samba-ad-dc samba-ad-provision \
		samba-dsdb-modules samba-vfs-modules samba-libs samba-common \
		samba-common-bin winbind ldb-tools tdb-tools adcli python3-samba \
		python3-ldb python3-tdb python3-talloc python3-dnspython \
		python3-markdown python3-cryptography python3-cffi-backend
}

# That of a screen locker has a service in /etc/pam.d.
unpack_lockers() {
	unpack lockers /usr/bin/i3lock i3lock
}

# That of lightdm starts at every boot, and its greeter is the test.
unpack_greeters() {
	unpack lightdm /usr/sbin/lightdm lightdm
}

# That of auditd starts a daemon that takes over the machine's audit.
unpack_audit() {
	unpack audit /usr/sbin/ausearch auditd
}

# That of Prometheus starts a daemon; only promtool of it is used, which is a
# package of its own from Debian 13 on.
unpack_monitoring() {
	local package=prometheus
	! is_packaged promtool || package=promtool
	unpack monitoring /usr/bin/promtool "$package"
}

# Those of mail servers start a daemon each, exclude each other, and edit /etc.
unpack_mail() {
	unpack mail /usr/sbin/postdrop postfix exim4-daemon-light exim4-base \
		exim4-config msmtp
}

# That of AppArmor loads profiles at every boot.
unpack_apparmor() {
	unpack apparmor /usr/sbin/apparmor_parser apparmor
}

bootstrap() {
	if [ ! -x "$TOP/configure" ] || [ "$TOP/configure.ac" -nt "$TOP/configure" ] ||
		[ -n "$(find "$TOP" -maxdepth 2 '(' -name Makefile.am -o -name local.mk ')' -newer "$TOP/Makefile.in" 2>/dev/null)" ]; then
		mkdir -p "$BUILD"
		(cd "$TOP" && autoreconf -fi) >"$BUILD/autoreconf.log" 2>&1 ||
			{ tail -n 20 "$BUILD/autoreconf.log" >&2; return 1; }
	fi
}

# configure_in DIR OPTION...: out of tree, once for the same options.
configure_in() {
	local dir=$1
	shift
	mkdir -p "$dir"
	if [ -e "$dir/config.status" ] && [ "$(cat "$dir/.options" 2>/dev/null)" = "$*" ] &&
		[ "$dir/config.status" -nt "$TOP/configure" ]; then
		return 0
	fi
	(cd "$dir" && "$TOP/configure" -q --prefix=/usr --sysconfdir=/etc \
		--localstatedir=/var "$@") >"$dir/configure.log" 2>&1 ||
		{ tail -n 20 "$dir/configure.log" >&2; return 1; }
	printf '%s' "$*" >"$dir/.options"
}

# build_in DIR TARGET...
build_in() {
	local dir=$1
	shift
	make -C "$dir" -s -j"$JOBS" "$@" >"$dir/make.log" 2>&1 ||
		{ tail -n 40 "$dir/make.log" >&2; return 1; }
}

# The build that the system tests use, and its installation into
# BUILD/gcc/stage.
build_main() {
	# One after the other: each is a make of its own, and both make libpolicy.
	build_stage "$BUILD/gcc" --enable-werror &&
		build_in "$BUILD/gcc" drivers
}

# build_stage DIR OPTION...: everything, and its installation into DIR/stage.
build_stage() {
	local dir=$1
	bootstrap || return 1
	configure_in "$@" || return 1
	build_in "$dir" all || return 1
	rm -rf "$dir/stage"
	make -C "$dir" -s install DESTDIR="$dir/stage" >"$dir/install.log" 2>&1 ||
		{ tail -n 20 "$dir/install.log" >&2; return 1; }
}
