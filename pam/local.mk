# The PAM module.
# SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later

# ---- pam_selfreset.so: for login, sshd, su, sudo, passwd.  Each login loads it
# into a new process: it is linked as the NSS module is (nss/local.mk).
pamlibdir = $(pamdir)
pamlib_LTLIBRARIES = pam_selfreset.la
# The calls, which selfreset-helper makes for others, too: without libpam.
noinst_LTLIBRARIES += libcalls.la
libcalls_la_SOURCES = \
	pam/account.c pam/account.h \
	pam/auth.c pam/auth.h \
	pam/authtok_cache.c pam/authtok_cache.h \
	pam/caller.h \
	pam/captive.c pam/captive.h \
	pam/calls.c pam/calls.h \
	pam/context.c pam/context.h \
	pam/credentials.c pam/credentials.h \
	pam/greeter.c pam/greeter.h \
	pam/guard.c pam/guard.h \
	pam/language.c pam/language.h \
	pam/nag.c pam/nag.h \
	pam/options.c pam/options.h \
	pam/password.c pam/password.h \
	pam/prompt.c pam/prompt.h \
	pam/session.c pam/session.h
libcalls_la_CFLAGS = $(AM_CFLAGS) $(SR_SMALL_CFLAGS)
pam_selfreset_la_SOURCES = \
	pam/caller.c \
	pam/hand_over.c pam/hand_over.h \
	pam/module.c \
	pam/reach.c pam/reach.h
pam_selfreset_la_CFLAGS = $(AM_CFLAGS) $(SR_SMALL_CFLAGS)
pam_selfreset_la_LDFLAGS = $(AM_LDFLAGS) $(SR_MODULE_LDFLAGS) \
	$(SR_SMALL_LDFLAGS) \
	-module -avoid-version -shared -no-undefined -Wl,-z,nodelete \
	-Wl,--version-script=$(top_srcdir)/pam/pam_selfreset.map
pam_selfreset_la_LIBADD = libcalls.la libpolicy.la $(PAM_LIBS)
pam_selfreset_la_DEPENDENCIES = libcalls.la libpolicy.la pam/pam_selfreset.map

EXTRA_DIST += pam/pam_selfreset.map pam/selfreset.pam-config \
	pam/examples/debian pam/examples/fedora pam/examples/guard \
	pam/examples/kerberos \
	pam/examples/minimal

# libpam has no use for libtool's file; pam-auth-update names a profile by its
# file.
install-pam:
	rm -f $(DESTDIR)$(pamlibdir)/pam_selfreset.la
if PAM_CONFIGS
	$(MKDIR_P) "$(DESTDIR)$(pamconfigsdir)"
	$(INSTALL_DATA) $(srcdir)/pam/selfreset.pam-config \
		"$(DESTDIR)$(pamconfigsdir)/selfreset"
endif

# Without libtool's file, libtool does not know what to remove.
uninstall-pam:
	rm -f $(DESTDIR)$(pamlibdir)/pam_selfreset.so

# Stacks that name a module that is gone let nobody in.  These are the folders
# that libpam reads.
uninstall-local:
	@used=`grep -ls '^[^#]*pam_selfreset\.so' \
	    "$(DESTDIR)$(sysconfdir)"/pam.d/* "$(DESTDIR)/usr/lib/pam.d"/* \
	    "$(DESTDIR)/usr/share/pam/pam.d"/* "$(DESTDIR)/usr/etc/pam.d"/* | \
	    grep -Ev '\.(dpkg-(old|new|dist|bak)|pam-(old|new)|rpm(new|orig|save)|ucf-(old|new|dist)|bak|old|orig|save|sw[op]|selfreset-(old|kept))$$|~$$|/#[^/]*$$'`; \
	test -z "$$used" || { \
	    echo "pam_selfreset.so stays while it is used by:" $$used >&2; \
	    echo "\"selfresetctl pam --disable\" takes it out." >&2; exit 1; }
if PAM_CONFIGS
	rm -f "$(DESTDIR)$(pamconfigsdir)/selfreset"
endif
.PHONY: install-pam uninstall-pam
