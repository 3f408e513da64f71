# A Debian that boots, with SELinux in enforcing mode: how its disks are made.
# Sourced by tests/run, behind tests/lib.sh and tests/package/lib.sh.
# SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
# shellcheck shell=bash disable=SC2034

VM_RELEASE=bookworm
# Of this machine.
PACKAGES_VM="qemu-system-x86 e2fsprogs"
# Of the machine that boots; the last ones compile our policy module in it.
PACKAGES_BOOTED="linux-image-cloud-amd64 initramfs-tools systemd systemd-sysv
	dbus dbus-user-session libpam-systemd libnss-systemd openssh-server
	openssh-client cron sudo auditd pamtester oathtool procps iproute2
	kmod udev cracklib-runtime libpwquality1 libldap-2.5-0 libkrb5-3
	libgssapi-krb5-2 liboath0 libsodium23 libqrencode4
	selinux-policy-default policycoreutils selinux-utils
	selinux-policy-dev zstd"
VM_PEOPLE="ann bob carl dora eve fred"

# booted_tree DIR: the system without our packages, made once for a list of
# packages.
booted_tree() {
	local dir=$1 packages
	packages="$PACKAGES_BOOTED $(mirror_of "$VM_RELEASE")"
	[ "$(cat "$dir.packages" 2>/dev/null)" != "$packages" ] || return 0
	rm -f "$dir.packages"
	make_tree "$VM_RELEASE" "$dir" "$PACKAGES_BOOTED" &&
		rm -f "$dir"/var/cache/apt/archives/*.deb &&
		printf '%s' "$packages" >"$dir.packages"
}

# vm_packages DIR: our packages for the release that boots.
vm_packages() {
	local dir=$1 tools=
	if [ "$(running_release)" != "$VM_RELEASE" ]; then
		tools="$BUILD/vm/tools"
		[ -e "$tools.made" ] || make_tree "$VM_RELEASE" "$tools" \
			build-essential || return 1
		touch "$tools.made"
	fi
	package_sources "$BUILD/vm/build/source" &&
		build_packages "$BUILD/vm/build/source" "$dir" "$tools"
}

# vm_system TREE PACKAGES KEY DIR: the system in a folder, with our packages
# installed and people.  Nothing of ours is configured yet.
vm_system() {
	local tree=$1 packages=$2 key=$3 dir=$4
	remove_tree "$dir"
	cp -a --reflink=auto "$tree" "$dir" && mkdir -p "$dir/srv/packages" &&
		cp "$packages"/*.deb "$dir/srv/packages" || return 1
	printf '#!/bin/sh\nexit 101\n' >"$dir/usr/sbin/policy-rc.d"
	chmod 755 "$dir/usr/sbin/policy-rc.d"
	in_tree "$dir" sh -c 'apt-get -q -y -o Acquire::Retries=3 \
		--no-install-recommends install /srv/packages/*.deb' || return 1
	rm -r "$dir/usr/sbin/policy-rc.d" "$dir/srv/packages"
	vm_host "$dir" && vm_people "$dir" "$key"
}

# vm_host DIR: what the machine is.
vm_host() {
	local dir=$1
	echo vm >"$dir/etc/hostname"
	echo "127.0.0.1 localhost vm" >"$dir/etc/hosts"
	echo "/dev/vda / ext4 rw,errors=remount-ro 0 0" >"$dir/etc/fstab"
	: >"$dir/etc/machine-id"
	mkdir -p "$dir/var/log/journal" "$dir/etc/systemd/network"
	# The network of qemu's user mode.
	printf '%s\n' '[Match]' 'Name=eth0' '[Network]' 'Address=10.0.2.15/24' \
		'LinkLocalAddressing=no' >"$dir/etc/systemd/network/eth0.network"
	printf '%s\n' 'UsePAM yes' 'KbdInteractiveAuthentication yes' \
		'LoginGraceTime 600' 'UseDNS no' \
		>"$dir/etc/ssh/sshd_config.d/20-selfreset.conf"
	# Software emulation is slow: a device, and a password, may take time.
	mkdir -p "$dir/etc/systemd/system.conf.d"
	printf '%s\n' '[Manager]' 'DefaultDeviceTimeoutSec=15min' \
		'DefaultTimeoutStartSec=15min' \
		>"$dir/etc/systemd/system.conf.d/slow.conf"
	sed -i 's/^LOGIN_TIMEOUT.*/LOGIN_TIMEOUT 600/' "$dir/etc/login.defs"
	sed -i 's/^SELINUX=.*/SELINUX=enforcing/' "$dir/etc/selinux/config"
	# Of system calls nothing is recorded beside what is denied.
	echo '-a never,task' >>"$dir/etc/audit/rules.d/audit.rules"
	# The state groups are to be made at the first boot.
	sed -i '/^\(acct\|pw\)-/d' "$dir/etc/group" "$dir/etc/gshadow"
	rm -f "$dir/etc/.updated" "$dir/var/.updated"
	# What waits for a network, or for a time of day, waits in vain here.
	in_tree "$dir" systemctl -q mask apt-daily.timer apt-daily-upgrade.timer \
		systemd-networkd-wait-online.service man-db.timer \
		e2scrub_all.timer fstrim.timer &&
		in_tree "$dir" systemctl -q enable systemd-networkd.service ssh.service
}

# vm_people DIR KEY: each with a password that its name ends, and the key.
vm_people() {
	local dir=$1 key=$2 name
	for name in $VM_PEOPLE; do
		in_tree "$dir" useradd -m -s /bin/bash "$name" &&
			in_tree "$dir" install -d -m 700 -o "$name" -g "$name" \
				"/home/$name/.ssh" &&
			in_tree "$dir" sh -c "echo '$name:Old-horse-7-$name' |
				chpasswd" &&
			cp "$key.pub" "$dir/home/$name/.ssh/authorized_keys" || return 1
	done
	in_tree "$dir" usermod -aG sudo dora &&
		in_tree "$dir" sh -c "echo root:Root-horse-7 | chpasswd" &&
		install -d -m 700 "$dir/root/.ssh" &&
		cp "$key.pub" "$dir/root/.ssh/authorized_keys"
}

# vm_policy DIR: our module, compiled and loaded with the policy in the folder.
# Nothing that is denied is kept from the log (-D).  Two people have few rights
# also in their sessions.
vm_policy() {
	local dir=$1
	rm -rf "$dir/srv/selinux"
	cp -r "$TOP/selinux" "$dir/srv/selinux" &&
		in_tree "$dir" make -C /srv/selinux \
			-f /usr/share/selinux/devel/Makefile selfreset.pp &&
		in_tree "$dir" semodule -n -D -i /srv/selinux/selfreset.pp &&
		printf '%s\n' fred:user_u:s0 dora:staff_u:s0-s0:c0.c1023 \
			>>"$dir/etc/selinux/default/seusers"
}

# vm_homes DIR: those two own their homes for SELinux as well.
vm_homes() {
	in_tree "$1" chcon -R -u user_u /home/fred &&
		in_tree "$1" chcon -R -u staff_u /home/dora
}

# vm_disk DIR DISK: labels as the policy in the folder says, and the disk.  A
# host without SELinux can set labels, too, if its file system has extended
# attributes (-m: whatever its kernel says of its mounts).
vm_disk() {
	local dir=$1 disk=$2
	rm -f "$disk"
	in_tree "$dir" setfiles -F -m -e /proc -e /dev \
		/etc/selinux/default/contexts/files/file_contexts / &&
		vm_homes "$dir" &&
		truncate -s 3G "$disk" &&
		mkfs.ext4 -q -F -E lazy_itable_init=1 -d "$dir" "$disk"
}
