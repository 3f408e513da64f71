# selfresetctl.
# SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later

sbin_PROGRAMS += selfresetctl
noinst_LTLIBRARIES += libtools.la
# The formats of causes, of which selfresetctl.pot says where each is used.
BUILT_SOURCES += tools/causes.h
CLEANFILES += tools/causes.h
tools/causes.h: po/selfresetctl/selfresetctl.pot
	@$(MKDIR_P) tools
	$(AM_V_GEN)awk '/^$$/ { is_cause = 0 } \
	    /^#: .*policy\// && !/policy\/config/ { is_cause = 1 } \
	    /^msgid / { text = ""; is_id = 1 } \
	    /^msgstr/ { is_id = 0; rest = text; \
	        gsub(/%[0-9.*l]*[a-z]|[^A-Za-z]/, "", rest); \
	        if (is_cause && text ~ /%[^ ]|: "$$/ && \
	            (length(rest) > 2 || text == "\"%s: %s\"")) \
	            print text "," } \
	    is_id { sub(/^msgid /, ""); text = text == "" ? $$0 : \
	        substr(text, 1, length(text) - 1) substr($$0, 2) }' \
	    $(srcdir)/po/selfresetctl/selfresetctl.pot >$@.tmp
	@mv $@.tmp $@
tools/words.lo: tools/causes.h

# What can be tested by itself: no command, and no policy that does I/O.
libtools_la_SOURCES = \
	policy/util/replace_file.c policy/util/replace_file.h \
	policy/util/secret_file.c policy/util/secret_file.h \
	tools/time_arg.c tools/time_arg.h tools/words.c tools/words.h \
	tools/check/pam_stack.c tools/check/pam_stack.h \
	tools/check/findings.c tools/check/findings.h \
	tools/json.c tools/json.h \
	tools/old_state.c tools/old_state.h \
	tools/output.c tools/output.h \
	tools/nsswitch.c tools/nsswitch.h \
	tools/password_gen.c tools/password_gen.h \
	tools/check/sshd_config.c tools/check/sshd_config.h \
	tools/check/pam_config.c tools/check/pam_config.h \
	tools/check/sandbox.c tools/check/sandbox.h \
	tools/check/pam_auth.c tools/check/pam_auth.h \
	tools/check/pam_service.c tools/check/pam_service.h
selfresetctl_SOURCES = \
	tools/cmd/check.c \
	tools/check/accounts.c tools/check/accounts.h \
	tools/check/backend.c tools/check/backend.h \
	tools/check/enrolments.c tools/check/enrolments.h \
	tools/check/benchmark.c tools/check/benchmark.h \
	tools/check/other_files.c tools/check/other_files.h \
	tools/check/captive.c tools/check/captive.h \
	tools/check/mail_program.c tools/check/mail_program.h \
	tools/check/host.c tools/check/host.h \
	tools/check/nss.c tools/check/nss.h \
	tools/check/pam.c tools/check/pam.h \
	tools/check/nss_seen.c tools/check/nss_seen.h \
	tools/check/nss_switch.c tools/check/nss_switch.h \
	tools/cmd/commands.h \
	tools/command.c tools/command.h \
	tools/ctl.c tools/ctl.h \
	tools/each.c tools/each.h \
	tools/directory_admin.c tools/directory_admin.h \
	tools/cmd/age.c \
	tools/cmd/password_check.c \
	tools/secret_input.c tools/secret_input.h \
	tools/cmd/events.c \
	tools/cmd/explain.c \
	tools/shared_ledger.c tools/shared_ledger.h \
	tools/cmd/list.c \
	tools/cmd/log.c \
	tools/cmd/metrics.c \
	tools/cmd/health.c \
	tools/event_log.c tools/event_log.h \
	tools/figures.c tools/figures.h \
	tools/cmd/unlock.c \
	tools/cmd/migrate.c \
	tools/cmd/must_change.c \
	tools/cmd/nss.c \
	tools/cmd/pam.c \
	tools/cmd/captive.c \
	tools/report.c tools/report.h \
	tools/check/survey.c tools/check/survey.h \
	tools/check/survey_ad.c tools/check/survey_ad.h \
	tools/check/survey_krb5.c tools/check/survey_krb5.h \
	tools/pam_files.c tools/pam_files.h \
	tools/rewrite.c tools/rewrite.h \
	tools/spawn.c tools/spawn.h \
	tools/selfresetctl.c \
	tools/shadow.c tools/shadow.h \
	tools/cmd/rotate.c \
	tools/cmd/status.c \
	tools/cmd/temporary.c
if RESET
selfresetctl_SOURCES += tools/cmd/reset.c tools/cmd/report.c
endif
selfresetctl_LDADD = libtools.la libreset.la libpolicy.la -ldl
bashcompletiondir = $(completionsdir)
dist_bashcompletion_DATA = tools/selfresetctl.bash helper/selfreset.bash
zshcompletiondir = $(datadir)/zsh/site-functions
dist_zshcompletion_DATA = tools/_selfresetctl helper/_selfreset
fishcompletiondir = $(datadir)/fish/vendor_completions.d
dist_fishcompletion_DATA = tools/selfresetctl.fish helper/selfreset.fish

EXTRA_DIST += tools/selfreset.conf tools/monitoring/selfreset.rules.yml \
	tools/openscap/ssg-debian12-tailoring.xml \
	tools/openscap/ssg-ubuntu2204-tailoring.xml
# A configuration that is there is the administrator's.
install-config:
	$(MKDIR_P) $(DESTDIR)$(securitydir)
	$(INSTALL) -d -m 755 $(DESTDIR)$(securitydir)/selfreset.conf.d
	test -e $(DESTDIR)$(securitydir)/selfreset.conf || \
	    $(INSTALL_DATA) $(srcdir)/tools/selfreset.conf $(DESTDIR)$(securitydir)
uninstall-config:
	! cmp -s $(srcdir)/tools/selfreset.conf \
	    $(DESTDIR)$(securitydir)/selfreset.conf || \
	    rm -f $(DESTDIR)$(securitydir)/selfreset.conf
	-rmdir $(DESTDIR)$(securitydir)/selfreset.conf.d 2>/dev/null
.PHONY: install-config uninstall-config
