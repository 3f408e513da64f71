# The PAM module.
# SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later

# ---- pam_selfreset.so: for login, sshd, su, sudo, passwd.  Each login loads it
# into a new process: it is linked as the NSS module is (nss/local.mk).
pamlibdir = $(pamdir)
pamlib_LTLIBRARIES = pam_selfreset.la
pam_selfreset_la_SOURCES = \
	pam/account.c pam/account.h \
	pam/auth.c pam/auth.h \
	pam/authtok_cache.c pam/authtok_cache.h \
	pam/context.c pam/context.h \
	pam/credentials.c pam/credentials.h \
	pam/guard.c pam/guard.h \
	pam/module.c \
	pam/options.c pam/options.h \
	pam/password.c pam/password.h \
	pam/prompt.c pam/prompt.h \
	pam/session.c pam/session.h
pam_selfreset_la_CFLAGS = $(AM_CFLAGS) $(SR_SMALL_CFLAGS)
pam_selfreset_la_LDFLAGS = $(AM_LDFLAGS) $(SR_MODULE_LDFLAGS) \
	$(SR_SMALL_LDFLAGS) \
	-module -avoid-version -shared -no-undefined -Wl,-z,nodelete \
	-Wl,--version-script=$(top_srcdir)/pam/pam_selfreset.map
pam_selfreset_la_LIBADD = libpolicy.la $(PAM_LIBS)
pam_selfreset_la_DEPENDENCIES = libpolicy.la pam/pam_selfreset.map

EXTRA_DIST += pam/selfreset-sandbox.conf.in pam/pam_selfreset.map pam/selfreset.pam-config \
	pam/examples/debian pam/examples/fedora pam/examples/guard \
	pam/examples/kerberos \
	pam/examples/minimal

# Units of others that ask PAM and may write nothing: polkit's from its version
# 127 on, and that of Linux-PAM's own account tools.
SANDBOXED_UNITS = polkit-agent-helper@.service pwupdd@.service

# libpam has no use for libtool's file; pam-auth-update names a profile by its
# file.
install-pam:
	rm -f $(DESTDIR)$(pamlibdir)/pam_selfreset.la
if PAM_CONFIGS
	$(MKDIR_P) "$(DESTDIR)$(pamconfigsdir)"
	$(INSTALL_DATA) $(srcdir)/pam/selfreset.pam-config \
		"$(DESTDIR)$(pamconfigsdir)/selfreset"
endif
if SYSTEMD_UNITS
	for unit in $(SANDBOXED_UNITS); do \
	    folder="$(DESTDIR)$(systemdsystemunitdir)/$$unit.d"; \
	    $(MKDIR_P) "$$folder" && \
	    $(SED) -e 's|%statedir%|$(statedir)|' -e 's|%rundir%|$(rundir)|' \
		$(srcdir)/pam/selfreset-sandbox.conf.in >"$$folder/selfreset.conf" \
		|| exit 1; \
	done
endif

# Without libtool's file, libtool does not know what to remove.
uninstall-pam:
	rm -f $(DESTDIR)$(pamlibdir)/pam_selfreset.so
if SYSTEMD_UNITS
	for unit in $(SANDBOXED_UNITS); do \
	    folder="$(DESTDIR)$(systemdsystemunitdir)/$$unit.d"; \
	    rm -f "$$folder/selfreset.conf"; \
	    rmdir "$$folder" 2>/dev/null || :; \
	done
endif

# Stacks that name a module that is gone let nobody in.  These are the folders
# that libpam reads.
uninstall-local:
	@used=`grep -ls '^[^#]*pam_selfreset\.so' \
	    "$(DESTDIR)$(sysconfdir)"/pam.d/* "$(DESTDIR)/usr/lib/pam.d"/* \
	    "$(DESTDIR)/usr/share/pam/pam.d"/* "$(DESTDIR)/usr/etc/pam.d"/* | \
	    grep -v '\.selfreset-old$$'`; \
	test -z "$$used" || { \
	    echo "pam_selfreset.so stays while it is used by:" $$used >&2; \
	    echo "\"selfresetctl pam --disable\" takes it out." >&2; exit 1; }
if PAM_CONFIGS
	rm -f "$(DESTDIR)$(pamconfigsdir)/selfreset"
endif
.PHONY: install-pam uninstall-pam
