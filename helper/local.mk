# The helper for programs that cannot check passwords by themselves.
# SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later

# Not linked with libpam, whose functions pam/served.c has.
sbin_PROGRAMS += selfreset-helper
selfreset_helper_SOURCES = \
	helper/listen.c helper/listen.h \
	helper/peer.c helper/peer.h \
	helper/slots.c helper/slots.h \
	helper/selfreset-helper.c \
	pam/served.c pam/served.h
selfreset_helper_LDADD = libcalls.la libreset.la libpolicy.la

# What users run, and the shell of the captive account.
bin_PROGRAMS = selfreset
selfreset_SOURCES = helper/agent.c helper/agent.h helper/selfreset.c \
	helper/terminal.c helper/terminal.h
selfreset_LDADD = libpolicy.la

HELPER_UNITS = helper/selfreset-helper.socket helper/selfreset-helper@.service \
	helper/selfreset-reset.socket helper/selfreset-reset@.service \
	helper/selfreset-notices.service
EXTRA_DIST += helper/selfreset-helper.socket.in helper/selfreset-helper@.service.in \
	helper/selfreset-reset.socket.in helper/selfreset-reset@.service.in \
	helper/selfreset-notices.service.in \
	helper/examples/sms-gateway
CLEANFILES += $(HELPER_UNITS)
helper/selfreset-helper.socket: helper/selfreset-helper.socket.in Makefile
	$(AM_V_GEN)$(MKDIR_P) helper && $(SUBST_UNIT) \
	    $(srcdir)/helper/selfreset-helper.socket.in >$@.new
	$(AM_V_at)mv $@.new $@
helper/selfreset-helper@.service: helper/selfreset-helper@.service.in Makefile
	$(AM_V_GEN)$(MKDIR_P) helper && $(SUBST_UNIT) \
	    $(srcdir)/helper/selfreset-helper@.service.in >$@.new
	$(AM_V_at)mv $@.new $@
helper/selfreset-reset.socket: helper/selfreset-reset.socket.in Makefile
	$(AM_V_GEN)$(MKDIR_P) helper && $(SUBST_UNIT) \
	    $(srcdir)/helper/selfreset-reset.socket.in >$@.new
	$(AM_V_at)mv $@.new $@
helper/selfreset-reset@.service: helper/selfreset-reset@.service.in Makefile
	$(AM_V_GEN)$(MKDIR_P) helper && $(SUBST_UNIT) \
	    $(srcdir)/helper/selfreset-reset@.service.in >$@.new
	$(AM_V_at)mv $@.new $@
helper/selfreset-notices.service: helper/selfreset-notices.service.in Makefile
	$(AM_V_GEN)$(MKDIR_P) helper && $(SUBST_UNIT) \
	    $(srcdir)/helper/selfreset-notices.service.in >$@.new
	$(AM_V_at)mv $@.new $@
