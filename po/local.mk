# The translations.
# SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later

# A language is one more name here, and its file; see po/README.
LINGUAS = de es fr ja uk
# What users read, and in a folder of its own what selfresetctl shows.
po_names = po/de po/es po/fr po/ja po/uk \
	po/selfresetctl/de po/selfresetctl/es po/selfresetctl/fr \
	po/selfresetctl/ja po/selfresetctl/uk
if NLS
po_catalogues = $(po_names:=.mo)
endif
noinst_DATA = $(po_catalogues)
CLEANFILES += $(po_names:=.mo)
EXTRA_DIST += po/README po/POTFILES.in po/selfreset.pot $(po_names:=.po) \
	po/selfresetctl/selfresetctl.pot

# What can go wrong in a catalogue stops the build.
SUFFIXES = .po .mo
.po.mo:
	@$(MKDIR_P) po/selfresetctl
	$(AM_V_GEN)$(MSGFMT) --check --output-file=$@ $<

install-po: $(po_catalogues)
if NLS
	for language in $(LINGUAS); do \
	    to="$(DESTDIR)$(localedir)/$$language/LC_MESSAGES"; \
	    $(MKDIR_P) "$$to" && \
	    $(INSTALL_DATA) po/$$language.mo "$$to/selfreset.mo" && \
	    $(INSTALL_DATA) po/selfresetctl/$$language.mo \
	        "$$to/selfresetctl.mo" || exit 1; \
	done
endif
uninstall-po:
	for language in $(LINGUAS); do \
	    rm -f "$(DESTDIR)$(localedir)/$$language/LC_MESSAGES/selfreset.mo" \
	        "$(DESTDIR)$(localedir)/$$language/LC_MESSAGES/selfresetctl.mo"; \
	done

# After texts have changed: take them into the templates, and from there into
# each language.  A template says nothing that changes without them: no time,
# no line numbers.
po_xgettext = xgettext --from-code=UTF-8 --language=C --keyword \
	--add-comments=TRANSLATORS: --add-location=file \
	--package-name=selfreset --msgid-bugs-address=none
po_header = sed -e '/^"POT-Creation-Date:/d' -e '2d' -e '4d' \
	-e '1s/.*/\# Texts of selfreset, for translators./' \
	-e '3s/.*/\# SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later/' \
	-e 's/charset=CHARSET/charset=UTF-8/'
po/new.pot:
	@$(MKDIR_P) po
	$(AM_V_GEN)here=$$PWD && cd $(srcdir) && \
	    $(po_xgettext) --files-from=po/POTFILES.in --output=- \
	        --keyword=_ --keyword=N_ --keyword=_n:1,2 --keyword=YOURS:1 \
	        --keyword=YOURS:2 --keyword=COUNTED:1,2 \
	        --flag=sr_format:1:c-format | $(po_header) >$$here/$@.tmp
	@mv $@.tmp $@
# All files of tools/, and texts of logs.  Of some calls two arguments are
# translated, for which xgettext needs two runs.  What has only values is no
# text.
po_causes = sr_error_set\(|sr_ldap_why|sr_krb5_set_error\(
po/newctl.pot:
	@$(MKDIR_P) po
	@rm -f $@.tmp
	$(AM_V_GEN)here=$$PWD && cd $(srcdir) && \
	    find tools -name '*.[ch]' | LC_ALL=C sort >$$here/$@.list && \
	    $(po_xgettext) --files-from=$$here/$@.list \
	        --output=$$here/$@.tmp --keyword=_ --keyword=N_ \
	        --keyword=_n:1,2 --keyword=ctl_error:1 --keyword=ctl_print:2 \
	        --keyword=ctl_usage:2 --keyword=findings_add:6 \
	        --keyword=findings_add_at:7 --keyword=add_line:5 \
	        --keyword=service_add:4 --keyword=report_section:3 \
	        --keyword=report_time_or:4 --keyword=report_list:5 \
	        --flag=ctl_error:1:c-format --flag=ctl_print:2:c-format \
	        --flag=ctl_usage:2:c-format --flag=findings_add:6:c-format \
	        --flag=findings_add_at:7:c-format --flag=add_line:5:c-format && \
	    $(po_xgettext) --files-from=$$here/$@.list \
	        --join-existing --output=$$here/$@.tmp --keyword=findings_add:5 \
	        --keyword=findings_add_at:6 --keyword=add_line:4 \
	        --keyword=service_add:5 && \
	    grep -rlE '^EVENT|N_LOG|$(po_causes)' policy | LC_ALL=C sort | \
	    $(po_xgettext) --files-from=- \
	        --join-existing --output=$$here/$@.tmp --keyword=N_LOG \
	        --keyword=EVENT:7 --keyword=sr_error_set:3 \
	        --keyword=sr_ldap_why:2 --keyword=sr_ldap_why_response:3 \
	        --keyword=sr_krb5_set_error:4 --keyword=set_trouble:2 \
	        --keyword=refuse:3 --keyword=failed:2 --keyword=fail:2
	@$(po_header) $@.tmp | awk 'BEGIN { RS = ""; ORS = "\n\n" } \
	    !/\nmsgid "([%s ]+|%s%s[%s: ]*|%s: )"\nmsgstr/' >$@.new
	@rm -f $@.tmp $@.list
	@mv $@.new $@
update-po:
	@rm -f po/new.pot po/newctl.pot
	@$(MAKE) $(AM_MAKEFLAGS) po/new.pot po/newctl.pot
	mv po/new.pot $(srcdir)/po/selfreset.pot
	mv po/newctl.pot $(srcdir)/po/selfresetctl/selfresetctl.pot
	cd $(srcdir)/po && for language in $(LINGUAS); do \
	    msgmerge --quiet --update --backup=none --no-fuzzy-matching \
	        $$language.po selfreset.pot && \
	    msgmerge --quiet --update --backup=none --no-fuzzy-matching \
	        selfresetctl/$$language.po selfresetctl/selfresetctl.pot || \
	        exit 1; \
	done
MOSTLYCLEANFILES = po/new.pot po/new.pot.tmp po/newctl.pot po/newctl.pot.tmp \
	po/newctl.pot.new po/newctl.pot.list
.PHONY: install-po uninstall-po update-po
