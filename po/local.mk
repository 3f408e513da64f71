# The translations.
# SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later

# A language is one more name here, and its file; see po/README.
LINGUAS = de es fr ja uk
po_sources = po/de.po po/es.po po/fr.po po/ja.po po/uk.po
if NLS
po_catalogues = po/de.mo po/es.mo po/fr.mo po/ja.mo po/uk.mo
endif
noinst_DATA = $(po_catalogues)
CLEANFILES += po/de.mo po/es.mo po/fr.mo po/ja.mo po/uk.mo
EXTRA_DIST += po/README po/POTFILES.in po/selfreset.pot $(po_sources)

# What can go wrong in a catalogue stops the build.
SUFFIXES = .po .mo
.po.mo:
	@$(MKDIR_P) po
	$(AM_V_GEN)$(MSGFMT) --check --output-file=$@ $<

install-po: $(po_catalogues)
if NLS
	for language in $(LINGUAS); do \
	    to="$(DESTDIR)$(localedir)/$$language/LC_MESSAGES"; \
	    $(MKDIR_P) "$$to" && \
	    $(INSTALL_DATA) po/$$language.mo "$$to/selfreset.mo" || exit 1; \
	done
endif
uninstall-po:
	for language in $(LINGUAS); do \
	    rm -f "$(DESTDIR)$(localedir)/$$language/LC_MESSAGES/selfreset.mo"; \
	done

# After texts have changed: take them into the template, and from there into
# each language.  The template says nothing that changes without them: no time,
# no line numbers.
po_template = xgettext --files-from=po/POTFILES.in --from-code=UTF-8 \
	--language=C --keyword --keyword=_ --keyword=N_ --keyword=_n:1,2 \
	--keyword=YOURS:1 --keyword=YOURS:2 --keyword=COUNTED:1,2 \
	--flag=sr_format:1:c-format --add-comments=TRANSLATORS: \
	--add-location=file --package-name=selfreset \
	--msgid-bugs-address=none --output=-
po/new.pot:
	@$(MKDIR_P) po
	$(AM_V_GEN)(cd $(srcdir) && $(po_template)) | \
	    sed -e '/^"POT-Creation-Date:/d' -e '2d' -e '4d' \
	        -e '1s/.*/# Texts of selfreset, for translators./' \
	        -e '3s/.*/# SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later/' \
	        -e 's/charset=CHARSET/charset=UTF-8/' >$@.tmp
	@mv $@.tmp $@
update-po:
	@rm -f po/new.pot
	@$(MAKE) $(AM_MAKEFLAGS) po/new.pot
	mv po/new.pot $(srcdir)/po/selfreset.pot
	cd $(srcdir)/po && for language in $(LINGUAS); do \
	    msgmerge --quiet --update --backup=none --no-fuzzy-matching \
	        $$language.po selfreset.pot || exit 1; \
	done
MOSTLYCLEANFILES = po/new.pot po/new.pot.tmp
.PHONY: install-po uninstall-po update-po
