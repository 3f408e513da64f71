# The packages: how they are built, and the trees that they are tried in.
# Sourced by tests/run, behind tests/lib.sh.
# SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
# shellcheck shell=bash

# package_version DIR: the version of the packages in it.
package_version() {
	dpkg-deb -f "$(echo "$1"/selfreset_*.deb)" Version
}

# relabel VERSION FROM TO: the packages of a folder under another version, with
# another comment in the configuration file, as those of an earlier release.
relabel() {
	local version=$1 from=$2 to=$3 package old
	old=$(package_version "$from") || return 1
	rm -rf "$to" && mkdir -p "$to" || return 1
	for package in "$from"/*.deb; do
		case $package in *-dbgsym_*) continue ;; esac
		rm -rf "$to/tree"
		dpkg-deb -R "$package" "$to/tree" || return 1
		sed -i "/^Version:\|^Depends:\|^Recommends:\|^Suggests:/s/$old/$version/g" \
			"$to/tree/DEBIAN/control"
		if [ -e "$to/tree/etc/security/selfreset.conf" ]; then
			echo "# An earlier version." >>"$to/tree/etc/security/selfreset.conf"
		fi
		rm -f "$to/tree/DEBIAN/md5sums"
		dpkg-deb -Znone -b "$to/tree" "$to" >/dev/null || return 1
	done
	rm -rf "$to/tree"
}

# What the version before is called; any other is later.
BEFORE="0~before-1"

# Whether these are files of a repository that has the commit before, and
# packages were made by then.
has_history() {
	[ "$(git -C "$TOP" rev-parse --show-prefix 2>/dev/null)" = "" ] &&
		git -C "$TOP" cat-file -e HEAD~1:debian/control 2>/dev/null
}

# unpack_before DIR: the sources of the commit before, with another comment in
# the configuration file.
unpack_before() {
	local dir=$1
	rm -rf "$dir" && mkdir -p "$dir" &&
		git -C "$TOP" archive -o "$dir.tar" HEAD~1 &&
		tar -xf "$dir.tar" -C "$dir" && rm -f "$dir.tar" &&
		sed -i "1s/([^)]*)/($BEFORE)/" "$dir/debian/changelog" &&
		echo "# An earlier version." >>"$dir/tools/selfreset.conf"
}

# The release of Debian that runs here, by its name.
running_release() {
	# shellcheck source=/dev/null
	(. /etc/os-release && echo "${VERSION_CODENAME-}")
}

# From Debian 13 on a package of its own says where units are.
packaging_more() {
	! is_packaged systemd-dev || echo systemd-dev
}

# mirror_of RELEASE: where its packages come from on this machine.
mirror_of() {
	local found
	# shellcheck disable=SC2016
	found=$(apt-get indextargets --format '$(REPO_URI) $(RELEASE)' \
		'Created-By: Packages' | awk -v release="$(running_release)" \
		'$2 == release || $2 == release "-updates" { print $1; exit }')
	printf '%s\n' "${found:-http://deb.debian.org/debian}"
}

# make_tree RELEASE DIR PACKAGE...: a new system in a folder, which asks for its
# packages as this machine does.
make_tree() {
	local release=$1 dir=$2
	shift 2
	remove_tree "$dir"
	mkdir -p "$dir" || return 1
	debootstrap --variant=minbase "$release" "$dir" \
		"$(mirror_of "$release")" || return 1
	apt-config dump Acquire | sed '/^Acquire::Changelogs/d' \
		>"$dir/etc/apt/apt.conf.d/90acquire"
	# debootstrap does not find an order for all packages, and apt starts
	# daemons, if nothing keeps it from that.
	printf '#!/bin/sh\nexit 101\n' >"$dir/usr/sbin/policy-rc.d"
	chmod 755 "$dir/usr/sbin/policy-rc.d"
	# shellcheck disable=SC2048,SC2086
	in_tree "$dir" apt-get -q update &&
		in_tree "$dir" apt-get -q -y -o Acquire::Retries=3 \
			--no-install-recommends install $* || return 1
	rm "$dir/usr/sbin/policy-rc.d"
}

# in_tree DIR COMMAND...: there, with the network of this machine.
in_tree() {
	local dir=$1
	shift
	# shellcheck disable=SC2016
	unshare --mount --propagation private sh -c '
		mount -t proc proc "$1/proc" && mount --rbind /dev "$1/dev" || exit
		dir=$1; shift
		exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root \
			LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive \
			DEB_BUILD_OPTIONS="$DEB_BUILD_OPTIONS" chroot "$dir" "$@"
		' sh "$dir" "$@"
}

# remove_tree DIR: whatever an interrupted run has left.
remove_tree() {
	rm -rf --one-file-system "$1"
}

# The sources as a user has them: the archive of make dist, unpacked.
unpack_sources() {
	local dir=$1
	rm -rf "$dir" && mkdir -p "$dir" &&
		make -C "$BUILD/gcc" -s dist distdir=selfreset-packaged &&
		tar -xf "$BUILD/gcc/selfreset-packaged.tar.xz" -C "$dir" \
			--strip-components=1 &&
		rm -f "$BUILD/gcc/selfreset-packaged.tar.xz"
}

# package_sources DIR: from a configured build, which need not be compiled.
package_sources() {
	bootstrap && configure_in "$BUILD/gcc" --enable-werror &&
		unpack_sources "$1"
}

# build_packages SOURCES DIR [TREE]: the packages, here or in a tree.
build_packages() {
	local sources=$1 dir=$2 tree=${3-}
	export DEB_BUILD_OPTIONS="nocheck noautodbgsym parallel=$JOBS"
	rm -rf "$dir" && mkdir -p "$dir" || return 1
	if [ -z "$tree" ]; then
		# Nobody reads the debugging symbols of these.
		(cd "$sources" && DEB_CFLAGS_APPEND=-g0 \
			dpkg-buildpackage -b -us -uc) || return 1
	else
		rm -rf "$tree/srv/build" && mkdir -p "$tree/srv/build" &&
			cp -a "$sources" "$tree/srv/build/source" &&
			in_tree "$tree" sh -c 'cd /srv/build/source &&
				apt-get -y --no-install-recommends build-dep . &&
				dpkg-buildpackage -b -us -uc' || return 1
		sources="$tree/srv/build/source"
	fi
	mv "$sources"/../*.deb "$sources"/../*.changes "$sources"/../*.buildinfo \
		"$dir"
}

# lintian_likes DIR [TREE]: of the release that the tree is of.
lintian_likes() {
	local dir=$1 tree=${2-}
	set -- lintian --allow-root --fail-on error,warning --profile debian
	if [ -z "$tree" ]; then
		"$@" "$dir"/*.changes
	else
		rm -rf "$tree/srv/look" && mkdir -p "$tree/srv/look" &&
			cp "$dir"/* "$tree/srv/look/" || return 1
		# shellcheck disable=SC2016
		in_tree "$tree" sh -c '"$@" /srv/look/*.changes' sh "$@"
	fi
}

# fetch_dependencies TREE DIR: what the packages in DIR need that the tree has
# not, so that it needs no network to install them.
fetch_dependencies() {
	local tree=$1 dir=$2
	rm -rf "$tree/srv/fetch" && mkdir -p "$tree/srv/fetch" &&
		cp "$dir"/*.deb "$tree/srv/fetch/" || return 1
	in_tree "$tree" sh -c 'apt-get -q -y -o Acquire::Retries=3 \
		--download-only install /srv/fetch/*.deb' &&
		rm -rf "$tree/srv/fetch"
}
