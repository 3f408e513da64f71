# The policy core, and the backends that are modules of their own.
# SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later

# ---- policy: the common core; libstate is the part of it that the NSS module
# links too: pure, but for the lookup
noinst_LTLIBRARIES += libpolicy.la libstate.la
libstate_la_SOURCES = \
	policy/util/bytes.h \
	policy/decide/change.c policy/decide/change.h \
	policy/decide/facts.c policy/decide/facts.h \
	policy/decide/identity.h \
	policy/publish/reader.c policy/publish/reader.h \
	policy/decide/rules.h \
	policy/publish/view.c policy/publish/view.h \
	policy/util/siphash.c policy/util/siphash.h \
	policy/util/spelling.c policy/util/spelling.h \
	policy/util/text.c policy/util/text.h \
	policy/util/time.h \
	policy/publish/bucket.c policy/publish/bucket.h \
	policy/publish/delta.c policy/publish/delta.h \
	policy/publish/format.c policy/publish/format.h \
	policy/publish/payload.c policy/publish/payload.h \
	policy/publish/uptime.c policy/publish/uptime.h \
	policy/decide/verdict.c policy/decide/verdict.h
libstate_la_CFLAGS = $(AM_CFLAGS) $(SR_SMALL_CFLAGS)
libpolicy_la_SOURCES = \
	policy/backend/backend.c \
	policy/throttle/attempt.c policy/throttle/attempt.h \
	policy/decide/ageing.c policy/decide/ageing.h \
	policy/backend/backend.h \
	policy/backend/registry.c policy/backend/registry.h \
	policy/backend/local/local.c policy/backend/local/local.h \
	policy/backend/local/mixture.c policy/backend/local/mixture.h \
	policy/backend/local/files_lock.c policy/backend/local/files_lock.h \
	policy/backend/local/enumerate.c \
	policy/backend/survey.h \
	policy/publish/aside.c policy/publish/aside.h \
	policy/publish/builder.c policy/publish/builder.h \
	policy/util/clock.c policy/util/clock.h \
	policy/publish/install.c policy/publish/install.h \
	policy/config/account_rules.c policy/config/account_rules.h \
	policy/config/backend_section.c policy/config/backend_section.h \
	policy/config/config.c policy/config/config.h \
	policy/config/contradictions.c policy/config/contradictions.h \
	policy/config/errors.c policy/config/errors.h \
	policy/config/files.c policy/config/files.h \
	policy/config/keys.c policy/config/keys.h \
	policy/config/lines.c policy/config/lines.h \
	policy/config/membership.c policy/config/membership.h \
	policy/config/nearest.c policy/config/nearest.h \
	policy/config/other_files.c policy/config/other_files.h \
	policy/config/reading.c policy/config/reading.h \
	policy/config/stamps.c policy/config/stamps.h \
	policy/config/settings.h \
	policy/config/value.c policy/config/value.h \
	policy/util/crypt.c policy/util/crypt.h \
	policy/account/verification.c policy/account/verification.h \
	policy/account/captive.c policy/account/captive.h \
	policy/decide/lockout.c policy/decide/lockout.h \
	policy/util/error.c policy/util/error.h \
	policy/util/fold.c policy/util/fold.h \
	policy/report/event.c policy/report/event.h \
	policy/report/events.def \
	policy/util/safe_open.c policy/util/safe_open.h \
	policy/decide/shared_ledger.c policy/decide/shared_ledger.h \
	policy/account/account.c policy/account/account.h \
	policy/account/change.c policy/account/change.h \
	policy/account/context.h \
	policy/account/former.c policy/account/former.h \
	policy/account/never_expired.c policy/account/never_expired.h \
	policy/account/identity.c policy/account/identity.h \
	policy/account/publishing.c policy/account/publishing.h \
	policy/account/session.c policy/account/session.h \
	policy/account/verify.c policy/account/verify.h \
	policy/publish/groups.c policy/publish/groups.h \
	policy/password/history.c policy/password/history.h \
	policy/throttle/shared_ledger.c policy/throttle/shared_ledger.h \
	policy/throttle/shared_scan.c policy/throttle/shared_scan.h \
	policy/util/file_lock.c policy/util/file_lock.h \
	policy/util/io.c policy/util/io.h \
	policy/util/deadline.c policy/util/deadline.h \
	policy/util/name_map.c policy/util/name_map.h \
	policy/util/number.c policy/util/number.h \
	policy/util/program.c policy/util/program.h \
	policy/config/members.c policy/config/members.h \
	policy/report/message.c policy/report/message.h \
	policy/password/personal.c policy/password/personal.h \
	policy/store/account_file.c policy/store/account_file.h \
	policy/store/ledger.c policy/store/ledger.h \
	policy/store/memory.c policy/store/memory.h \
	policy/publish/directory.c policy/publish/directory.h \
	policy/publish/writer.c policy/publish/writer.h \
	policy/password/pwquality.c policy/password/pwquality.h \
	policy/decide/quality_rule.c policy/decide/quality_rule.h \
	policy/password/check_rules.c policy/password/check_rules.h \
	policy/password/dictionary.c policy/password/dictionary.h \
	policy/password/encoding.c policy/password/encoding.h \
	policy/password/findings.c policy/password/findings.h \
	policy/password/plan.c policy/password/plan.h \
	policy/password/pwquality_rule.c policy/password/pwquality_rule.h \
	policy/password/quality.c policy/password/quality.h \
	policy/util/signal_guard.c policy/util/signal_guard.h \
	policy/decide/source.c policy/decide/source.h \
	policy/throttle/query.c policy/throttle/query.h \
	policy/store/store.c policy/store/store.h \
	policy/decide/throttle.c policy/decide/throttle.h \
	policy/util/utf8.c policy/util/utf8.h \
	policy/util/words.h \
	policy/wire/link.c policy/wire/link.h \
	policy/wire/wire.c policy/wire/wire.h
libpolicy_la_CFLAGS = $(AM_CFLAGS) $(SR_SMALL_CFLAGS) \
	$(CRYPT_CFLAGS) $(AUDIT_CFLAGS) $(PWQUALITY_CFLAGS)
libpolicy_la_LIBADD = libstate.la $(CRYPT_LIBS) $(AUDIT_LIBS) -ldl

# ---- self-service reset: of the helper and of selfresetctl only, which name it
# before libpolicy.la
noinst_LTLIBRARIES += libreset.la
libreset_la_SOURCES = policy/reset/kind.c policy/reset/kind.h \
	policy/reset/flow.h policy/reset/mail_trial.h policy/reset/talk.h
reset_sources = \
	policy/reset/address.c policy/reset/address.h \
	policy/reset/app.c policy/reset/app.h \
	policy/reset/budget.c policy/reset/budget.h \
	policy/reset/channel.c policy/reset/channel.h \
	policy/reset/code.c policy/reset/code.h \
	policy/reset/commit.c policy/reset/commit.h \
	policy/reset/contact.c policy/reset/contact.h \
	policy/reset/enrolment.c policy/reset/enrolment.h \
	policy/reset/flow.c \
	policy/reset/gate.c policy/reset/gate.h \
	policy/reset/key.c policy/reset/key.h \
	policy/reset/limit.c policy/reset/limit.h \
	policy/reset/mail_trial.c \
	policy/reset/notice.c policy/reset/notice.h \
	policy/reset/own.c policy/reset/own.h \
	policy/reset/picture.c policy/reset/picture.h \
	policy/reset/known.c policy/reset/known.h \
	policy/reset/offer.c policy/reset/offer.h \
	policy/reset/queue.c policy/reset/queue.h \
	policy/reset/renew.c policy/reset/renew.h \
	policy/reset/resume.c policy/reset/resume.h \
	policy/reset/run.c policy/reset/run.h \
	policy/reset/seal.c policy/reset/seal.h \
	policy/reset/shared.c policy/reset/shared.h \
	policy/reset/signature.c policy/reset/signature.h
if RESET
libreset_la_SOURCES += $(reset_sources)
libreset_la_CFLAGS = $(AM_CFLAGS) $(RESET_CFLAGS) $(QRENCODE_CFLAGS)
libreset_la_LIBADD = $(RESET_LIBS) $(QRENCODE_LIBS)
else
libreset_la_SOURCES += policy/reset/without.c
endif

# ---- backends with heavy libraries, opened when the configuration names one
# What the modules share; each module has a copy of its own.
noinst_LTLIBRARIES += libbackend.la
libbackend_la_SOURCES = \
	policy/backend/backend.c policy/backend/backend.h \
	policy/backend/lately.c policy/backend/lately.h \
	policy/util/as_user.c policy/util/as_user.h \
	policy/util/deadline.c policy/util/deadline.h \
	policy/util/environment.c policy/util/environment.h \
	policy/util/error.c policy/util/error.h \
	policy/util/io.c policy/util/io.h \
	policy/util/replace_file.c policy/util/replace_file.h \
	policy/util/safe_open.c policy/util/safe_open.h \
	policy/util/secret_file.c policy/util/secret_file.h \
	policy/util/socket.c policy/util/socket.h \
	policy/util/utf8.c policy/util/utf8.h
backend_flags = $(AM_LDFLAGS) $(SR_MODULE_LDFLAGS) \
	-module -avoid-version -shared -no-undefined -Wl,-z,nodelete \
	-Wl,--version-script=$(top_srcdir)/policy/backend/backend.map
backend_dependencies = libbackend.la libstate.la policy/backend/backend.map
# Servers by DNS.
noinst_LTLIBRARIES += libsrv.la
libsrv_la_SOURCES = policy/backend/srv.c policy/backend/srv.h
if LDAP
# What decides, apart from what is sent.
noinst_LTLIBRARIES += libldapfacts.la
libldapfacts_la_SOURCES = \
	policy/decide/ageing.c policy/decide/ageing.h \
	policy/backend/ldap/ad.c policy/backend/ldap/ad.h \
	policy/backend/ldap/ad_values.c policy/backend/ldap/ad_values.h \
	policy/backend/ldap/response.c policy/backend/ldap/response.h \
	policy/backend/ldap/ds389.c policy/backend/ldap/ds389.h \
	policy/backend/ldap/entry.c policy/backend/ldap/entry.h \
	policy/backend/ldap/kind.c policy/backend/ldap/kind.h \
	policy/backend/ldap/openldap.c policy/backend/ldap/openldap.h \
	policy/backend/ldap/policy_cache.c policy/backend/ldap/policy_cache.h \
	policy/backend/ldap/shadow.c policy/backend/ldap/shadow.h \
	policy/backend/ldap/syntax.c policy/backend/ldap/syntax.h \
	policy/backend/ldap/template.c policy/backend/ldap/template.h \
	policy/backend/ldap/values.c policy/backend/ldap/values.h \
	policy/backend/ldap/view.c policy/backend/ldap/view.h \
	policy/backend/ldap/ledger_entry.c policy/backend/ldap/ledger_entry.h \
	policy/backend/ldap/dn_index.c policy/backend/ldap/dn_index.h \
	policy/backend/ldap/rootdse.c policy/backend/ldap/rootdse.h \
	policy/backend/ldap/sync.c policy/backend/ldap/sync.h
libldapfacts_la_CFLAGS = $(AM_CFLAGS) $(LDAP_CFLAGS)
libldapfacts_la_LIBADD = $(LDAP_LIBS)
ldap_sources = \
	policy/backend/ldap/ldap.c policy/backend/ldap/ldap.h \
	policy/backend/ldap/administer.c policy/backend/ldap/administer.h \
	policy/backend/ldap/ad_administer.c policy/backend/ldap/ad_administer.h \
	policy/backend/ldap/bind.c policy/backend/ldap/bind.h \
	policy/backend/ldap/connect.c policy/backend/ldap/connect.h \
	policy/backend/ldap/describe.c policy/backend/ldap/describe.h \
	policy/backend/ldap/device.c policy/backend/ldap/device.h \
	policy/backend/ldap/enumerate.c policy/backend/ldap/enumerate.h \
	policy/backend/ldap/init.c policy/backend/ldap/init.h \
	policy/backend/ldap/ledger_scan.c policy/backend/ldap/ledger_scan.h \
	policy/backend/ldap/scan.c policy/backend/ldap/scan.h \
	policy/backend/ldap/name_of.c policy/backend/ldap/name_of.h \
	policy/backend/ldap/pages.c policy/backend/ldap/pages.h \
	policy/backend/ldap/policies.c policy/backend/ldap/policies.h \
	policy/backend/ldap/receive.c policy/backend/ldap/receive.h \
	policy/backend/ldap/record.c policy/backend/ldap/record.h \
	policy/backend/ldap/request.c policy/backend/ldap/request.h \
	policy/backend/ldap/self_read.c policy/backend/ldap/self_read.h \
	policy/backend/ldap/servers.c policy/backend/ldap/servers.h \
	policy/backend/ldap/session.c policy/backend/ldap/session.h \
	policy/backend/ldap/shared_ledger.c policy/backend/ldap/shared_ledger.h \
	policy/backend/ldap/survey.c policy/backend/ldap/survey.h \
	policy/backend/ldap/watch.c policy/backend/ldap/watch.h
pkglib_LTLIBRARIES += ldap.la
ldap_la_SOURCES = policy/backend/ldap/module.c $(ldap_sources)
ldap_la_CFLAGS = $(AM_CFLAGS) $(LDAP_CFLAGS) $(SASL_CFLAGS)
ldap_la_LDFLAGS = $(backend_flags)
ldap_la_LIBADD = libldapfacts.la libsrv.la libbackend.la libstate.la $(SASL_LIBS)
ldap_la_DEPENDENCIES = libldapfacts.la libsrv.la $(backend_dependencies)
endif
if KRB5
# What reads bytes, apart from what is sent.
noinst_LTLIBRARIES += libkrb5facts.la libkrb5kdc.la libkrb5core.la
libkrb5facts_la_SOURCES = \
	policy/backend/krb5/kpasswd.c policy/backend/krb5/kpasswd.h \
	policy/backend/krb5/padata.c policy/backend/krb5/padata.h
# What both Kerberos and a directory that is asked by a ticket need.
libkrb5kdc_la_SOURCES = \
	policy/backend/krb5/initial.c policy/backend/krb5/initial.h \
	policy/backend/krb5/kdc.c policy/backend/krb5/kdc.h \
	policy/backend/krb5/kept.c policy/backend/krb5/kept.h \
	policy/backend/krb5/keytab.c policy/backend/krb5/keytab.h \
	policy/backend/krb5/steps.c policy/backend/krb5/steps.h
libkrb5kdc_la_CFLAGS = $(AM_CFLAGS) $(KRB5_CFLAGS)
libkrb5kdc_la_LIBADD = $(KRB5_LIBS)
libkrb5core_la_SOURCES = \
	policy/backend/krb5/account.c policy/backend/krb5/account.h \
	policy/backend/krb5/armour.c policy/backend/krb5/armour.h \
	policy/backend/krb5/ask.c policy/backend/krb5/ask.h \
	policy/backend/krb5/ccache.c policy/backend/krb5/ccache.h \
	policy/backend/krb5/change.c policy/backend/krb5/change.h \
	policy/backend/krb5/krb5.c policy/backend/krb5/krb5.h \
	policy/backend/krb5/rotate.c policy/backend/krb5/rotate.h \
	policy/backend/krb5/session.c policy/backend/krb5/session.h \
	policy/backend/krb5/survey.c policy/backend/krb5/survey.h \
	policy/backend/krb5/trust.c policy/backend/krb5/trust.h \
	policy/backend/krb5/verify.c policy/backend/krb5/verify.h
libkrb5core_la_CFLAGS = $(AM_CFLAGS) $(KRB5_CFLAGS)
libkrb5core_la_LIBADD = $(KRB5_LIBS)
krb5_libraries = libkrb5core.la libkrb5kdc.la libkrb5facts.la libsrv.la
pkglib_LTLIBRARIES += krb5.la
krb5_la_SOURCES = policy/backend/krb5/module.c
krb5_la_LDFLAGS = $(backend_flags)
krb5_la_LIBADD = $(krb5_libraries) libbackend.la libstate.la
krb5_la_DEPENDENCIES = $(krb5_libraries) $(backend_dependencies)
if LDAP
# A directory whose service asks by a ticket.  Only who says so loads it:
# loading Kerberos takes longer than what is done in a login.
noinst_LTLIBRARIES += libldapgssapi.la
libldapgssapi_la_SOURCES = $(ldap_sources) \
	policy/backend/ldap/gssapi.c policy/backend/ldap/gssapi.h \
	policy/backend/ldap/seal.c policy/backend/ldap/seal.h \
	policy/backend/krb5/ticket.c policy/backend/krb5/ticket.h
libldapgssapi_la_CPPFLAGS = $(AM_CPPFLAGS) -DSR_WITH_GSSAPI
libldapgssapi_la_CFLAGS = $(AM_CFLAGS) $(LDAP_CFLAGS) $(SASL_CFLAGS) $(KRB5_CFLAGS)
libldapgssapi_la_LIBADD = $(SASL_LIBS) $(KRB5_LIBS)
ldap_gssapi_libraries = libldapgssapi.la libldapfacts.la
pkglib_LTLIBRARIES += ldap-gssapi.la
ldap_gssapi_la_SOURCES = policy/backend/ldap/module.c
ldap_gssapi_la_LDFLAGS = $(backend_flags)
ldap_gssapi_la_CFLAGS = $(AM_CFLAGS) $(LDAP_CFLAGS)
ldap_gssapi_la_LIBADD = $(ldap_gssapi_libraries) libkrb5kdc.la \
	libkrb5facts.la libsrv.la \
	libbackend.la libstate.la
ldap_gssapi_la_DEPENDENCIES = $(ldap_gssapi_libraries) libkrb5kdc.la \
	libkrb5facts.la libsrv.la \
	$(backend_dependencies)
# Active Directory: both of them.
pkglib_LTLIBRARIES += ad.la
ad_la_SOURCES = \
	policy/backend/ad/ad.c \
	policy/backend/ad/change.c policy/backend/ad/change.h \
	policy/backend/ad/domain.c policy/backend/ad/domain.h \
	policy/backend/ad/rotate.c policy/backend/ad/rotate.h \
	policy/backend/ad/session.c policy/backend/ad/session.h \
	policy/backend/ad/survey.c policy/backend/ad/survey.h \
	policy/backend/ad/verify.c policy/backend/ad/verify.h
ad_la_CFLAGS = $(AM_CFLAGS) $(LDAP_CFLAGS) $(KRB5_CFLAGS)
ad_la_LDFLAGS = $(backend_flags)
ad_la_LIBADD = $(ldap_gssapi_libraries) $(krb5_libraries) \
	libbackend.la libstate.la
ad_la_DEPENDENCIES = $(ldap_gssapi_libraries) $(krb5_libraries) \
	$(backend_dependencies)
endif
endif

EXTRA_DIST += policy/backend/backend.map
