# The manual pages.
# SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later

# ---- man: the catalogue of events is made from the one list
dist_man_MANS = \
	man/libnss_selfreset.8 \
	man/pam_selfreset.8 \
	man/selfreset.1 \
	man/selfreset-helper.8 \
	man/selfreset-publish.8 \
	man/selfreset-recipes.7 \
	man/selfreset.conf.5 \
	man/selfresetctl.8
nodist_man_MANS = man/selfreset-events.7
EXTRA_DIST += man/catalog.awk man/events.awk man/selfreset-events.in
CLEANFILES += man/selfreset-events.7
man/selfreset-events.7: man/events.awk man/selfreset-events.in policy/report/events.def
	$(AM_V_GEN)$(MKDIR_P) man && $(AWK) -f $(srcdir)/man/events.awk \
	    $(srcdir)/policy/report/events.def $(srcdir)/man/selfreset-events.in >$@.new
	$(AM_V_at)mv $@.new $@

# ---- the message catalog of the journal
catalogdir = $(prefix)/lib/systemd/catalog
nodist_catalog_DATA = man/selfreset.catalog
CLEANFILES += man/selfreset.catalog
man/selfreset.catalog: man/catalog.awk policy/report/events.def
	$(AM_V_GEN)$(MKDIR_P) man && $(AWK) -f $(srcdir)/man/catalog.awk \
	    $(srcdir)/policy/report/events.def >$@.new
	$(AM_V_at)mv $@.new $@
