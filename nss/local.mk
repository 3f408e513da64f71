# The NSS module, and the program that publishes what it reads.
# SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later

# ---- the module for getgrouplist and getspnam.  glibc looks for the file under
# this name.  It is linked to be loaded fast: without start files, which it does
# not need, and with few segments and pages.
nsslibdir = $(nssdir)
nsslib_LTLIBRARIES = libnss_selfreset.la
libnss_selfreset_la_SOURCES = \
	nss/answer.c nss/answer.h \
	nss/module.c nss/module.h
libnss_selfreset_la_CFLAGS = $(AM_CFLAGS) $(SR_SMALL_CFLAGS)
libnss_selfreset_la_LDFLAGS = $(AM_LDFLAGS) $(SR_MODULE_LDFLAGS) \
	-module -avoid-version -shared -shrext .so.2 -no-undefined \
	-Wl,-z,nodelete $(SR_SMALL_LDFLAGS) \
	-Wl,--version-script=$(top_srcdir)/nss/libnss_selfreset.map
libnss_selfreset_la_LIBADD = libstate.la
libnss_selfreset_la_DEPENDENCIES = libstate.la nss/libnss_selfreset.map

EXTRA_DIST += nss/README.md nss/libnss_selfreset.map nss/selfreset.sysusers
install-nss: nss/selfreset.tmpfiles
	rm -f $(DESTDIR)$(nsslibdir)/libnss_selfreset.la
	test "$(sysusersdir)" = no || { $(MKDIR_P) "$(DESTDIR)$(sysusersdir)" && \
	    $(INSTALL_DATA) $(srcdir)/nss/selfreset.sysusers \
	        "$(DESTDIR)$(sysusersdir)/selfreset.conf"; }
	test "$(tmpfilesdir)" = no || { $(MKDIR_P) "$(DESTDIR)$(tmpfilesdir)" && \
	    $(INSTALL_DATA) nss/selfreset.tmpfiles \
	        "$(DESTDIR)$(tmpfilesdir)/selfreset.conf"; }
# glibc skips a source in nsswitch.conf that has no module, so removal asks for
# nothing.
uninstall-nss:
	rm -f $(DESTDIR)$(nsslibdir)/libnss_selfreset.so.2 \
	    "$(DESTDIR)$(sysusersdir)/selfreset.conf" \
	    "$(DESTDIR)$(tmpfilesdir)/selfreset.conf"
.PHONY: install-nss uninstall-nss

# ---- the program that publishes.  It alone needs the library for access
# lists.
sbin_PROGRAMS += selfreset-publish
selfreset_publish_SOURCES = \
	nss/acl.c nss/acl.h \
	nss/carry_over.c nss/carry_over.h \
	nss/changes.c nss/changes.h \
	nss/collect.c nss/collect.h \
	nss/follow.c nss/follow.h \
	nss/ledger_watch.c nss/ledger_watch.h \
	nss/names.c nss/names.h \
	nss/reading.c nss/reading.h \
	nss/record.c nss/record.h \
	nss/report.c nss/report.h \
	nss/run.c nss/run.h \
	nss/stamp.c nss/stamp.h \
	nss/selfreset-publish.c
selfreset_publish_CFLAGS = $(AM_CFLAGS) $(ACL_CFLAGS)
selfreset_publish_LDADD = libpolicy.la $(ACL_LIBS)
UNITS_MADE = nss/selfreset-follow.service tools/selfreset-rotate@.service \
	tools/selfreset-metrics.service \
	nss/selfreset-changed.service nss/selfreset-changed.path \
	nss/selfreset-publish.service nss/selfreset-publish.path
EXTRA_DIST += nss/selfreset-follow.service.in nss/selfreset.tmpfiles.in \
	nss/selfreset-changed.service.in nss/selfreset-changed.path.in \
	nss/selfreset-publish.service.in nss/selfreset-publish.path.in \
	tools/selfreset-rotate@.service.in tools/selfreset-metrics.service.in
CLEANFILES += $(UNITS_MADE) nss/selfreset.tmpfiles
SUBST_UNIT = $(SED) -e 's|%sbindir%|$(sbindir)|g' \
	-e 's|%sysconfdir%|$(sysconfdir)|g' -e 's|%publishdir%|$(publishdir)|g' \
	-e 's|%rundir%|$(rundir)|g' -e 's|%statedir%|$(statedir)|g'
nss/selfreset.tmpfiles: nss/selfreset.tmpfiles.in Makefile
	$(AM_V_GEN)$(MKDIR_P) nss && $(SUBST_UNIT) \
	    $(srcdir)/nss/selfreset.tmpfiles.in >$@.new
	$(AM_V_at)mv $@.new $@
nss/selfreset-changed.service: nss/selfreset-changed.service.in Makefile
	$(AM_V_GEN)$(MKDIR_P) nss && $(SUBST_UNIT) \
	    $(srcdir)/nss/selfreset-changed.service.in >$@.new
	$(AM_V_at)mv $@.new $@
nss/selfreset-changed.path: nss/selfreset-changed.path.in Makefile
	$(AM_V_GEN)$(MKDIR_P) nss && $(SUBST_UNIT) \
	    $(srcdir)/nss/selfreset-changed.path.in >$@.new
	$(AM_V_at)mv $@.new $@
nss/selfreset-follow.service: nss/selfreset-follow.service.in Makefile
	$(AM_V_GEN)$(MKDIR_P) nss && $(SUBST_UNIT) \
	    $(srcdir)/nss/selfreset-follow.service.in >$@.new
	$(AM_V_at)mv $@.new $@
nss/selfreset-publish.service: nss/selfreset-publish.service.in Makefile
	$(AM_V_GEN)$(MKDIR_P) nss && $(SUBST_UNIT) \
	    $(srcdir)/nss/selfreset-publish.service.in >$@.new
	$(AM_V_at)mv $@.new $@
nss/selfreset-publish.path: nss/selfreset-publish.path.in Makefile
	$(AM_V_GEN)$(MKDIR_P) nss && $(SUBST_UNIT) \
	    $(srcdir)/nss/selfreset-publish.path.in >$@.new
	$(AM_V_at)mv $@.new $@
tools/selfreset-rotate@.service: tools/selfreset-rotate@.service.in Makefile
	$(AM_V_GEN)$(MKDIR_P) tools && $(SUBST_UNIT) \
	    $(srcdir)/tools/selfreset-rotate@.service.in >$@.new
	$(AM_V_at)mv $@.new $@
tools/selfreset-metrics.service: tools/selfreset-metrics.service.in Makefile
	$(AM_V_GEN)$(MKDIR_P) tools && $(SUBST_UNIT) \
	    $(srcdir)/tools/selfreset-metrics.service.in >$@.new
	$(AM_V_at)mv $@.new $@
if SYSTEMD_UNITS
nodist_systemdsystemunit_DATA = $(UNITS_MADE) $(HELPER_UNITS)
dist_systemdsystemunit_DATA = nss/selfreset-publish.timer \
	helper/selfreset-notices.timer tools/selfreset-rotate@.timer \
	tools/selfreset-metrics.timer
else
EXTRA_DIST += nss/selfreset-publish.timer helper/selfreset-notices.timer \
	tools/selfreset-rotate@.timer \
	tools/selfreset-metrics.timer
endif
# distcheck runs as an ordinary user: nothing is installed outside the prefix.
AM_DISTCHECK_CONFIGURE_FLAGS = \
	--with-systemdsystemunitdir=$$dc_install_base/lib/systemd/system \
	--with-sysusersdir=$$dc_install_base/lib/sysusers.d \
	--with-tmpfilesdir=$$dc_install_base/lib/tmpfiles.d
