# The tests, the programs that they drive, benchmarks and fuzz targets.
# SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later

# ---- unit tests: one program each, from the source of the same name
LDADD = libtools.la libpolicy.la $(CMOCKA_LIBS)
UNIT_TESTS = \
	tests/unit/test_ageing \
	tests/unit/test_attempt \
	tests/unit/test_time_arg \
	tests/unit/test_change \
	tests/unit/test_survey \
	tests/unit/test_clock \
	tests/unit/test_config \
	tests/unit/test_crowd \
	tests/unit/test_crypt \
	tests/unit/test_enumerate \
	tests/unit/test_verification \
	tests/unit/test_event \
	tests/unit/test_lockout \
	tests/unit/test_shared_ledger \
	tests/unit/test_groups \
	tests/unit/test_history \
	tests/unit/test_json \
	tests/unit/test_shared_scan \
	tests/unit/test_local \
	tests/unit/test_message \
	tests/unit/test_names \
	tests/unit/test_personal \
	tests/unit/test_nsswitch \
	tests/unit/test_old_state \
	tests/unit/test_nss \
	tests/unit/test_password_gen \
	tests/unit/test_publish \
	tests/unit/test_quality \
	tests/unit/test_session \
	tests/unit/test_view \
	tests/unit/test_format \
	tests/unit/test_source \
	tests/unit/test_sshd_config \
	tests/unit/test_pam_stack \
	tests/unit/test_sandbox \
	tests/unit/test_store \
	tests/unit/test_throttle \
	tests/unit/test_slots \
	tests/unit/test_utf8 \
	tests/unit/test_verdict \
	tests/unit/test_wire
tests_unit_test_attempt_SOURCES = tests/unit/test_attempt.c \
	tests/unit/scratch.c tests/unit/scratch.h
tests_unit_test_slots_SOURCES = tests/unit/test_slots.c \
	helper/slots.c helper/slots.h \
	tests/unit/scratch.c tests/unit/scratch.h
tests_unit_test_names_SOURCES = tests/unit/test_names.c nss/names.c
tests_unit_test_names_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=getpwnam_r \
	-Wl,--wrap=getpwuid_r
tests_unit_test_config_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=time
tests_unit_test_survey_SOURCES = tests/unit/test_survey.c \
	tools/report.c tools/check/survey.c
tests_unit_test_enumerate_SOURCES = tests/unit/test_enumerate.c \
	tests/unit/scratch.c tests/unit/scratch.h
tests_unit_test_verification_SOURCES = tests/unit/test_verification.c \
	tests/unit/scratch.c tests/unit/scratch.h
tests_unit_test_session_SOURCES = tests/unit/test_session.c \
	tests/unit/scratch.c tests/unit/scratch.h
tests_unit_test_publish_SOURCES = tests/unit/test_publish.c \
	tests/unit/scratch.c tests/unit/scratch.h
tests_unit_test_nss_SOURCES = tests/unit/test_nss.c \
	nss/answer.c nss/module.c \
	tests/unit/published.c tests/unit/published.h \
	tests/unit/scratch.c tests/unit/scratch.h
# The directory is one below where the test is.
tests_unit_test_nss_CPPFLAGS = $(AM_CPPFLAGS) -USR_NSSDIR \
	-DSR_NSSDIR='"published"'
tests_unit_test_nss_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=realloc \
	-Wl,--wrap=readlink -Wl,--wrap=__readlink_chk
tests_unit_test_store_SOURCES = tests/unit/test_store.c \
	tests/unit/scratch.c tests/unit/scratch.h
if LDAP
UNIT_TESTS += \
	tests/unit/test_ad_values \
	tests/unit/test_ldap_response \
	tests/unit/test_ldap_entry \
	tests/unit/test_ldap_ledger_entry \
	tests/unit/test_ldap_dn_index \
	tests/unit/test_ldap_rootdse \
	tests/unit/test_ldap_sync
endif
if RESET
UNIT_TESTS += tests/unit/test_contact tests/unit/test_reset
endif
tests_unit_test_contact_LDADD = libreset.la libpolicy.la $(CMOCKA_LIBS)
tests_unit_test_reset_SOURCES = tests/unit/test_reset.c \
	tests/unit/scratch.c tests/unit/scratch.h
tests_unit_test_reset_LDADD = libreset.la libpolicy.la $(CMOCKA_LIBS)
if KRB5
UNIT_TESTS += tests/unit/test_kpasswd
endif
tests_unit_test_kpasswd_LDADD = libkrb5facts.la libsrv.la libbackend.la \
	$(CMOCKA_LIBS)
tests_unit_test_ad_values_CFLAGS = $(AM_CFLAGS) $(LDAP_CFLAGS)
tests_unit_test_ad_values_LDADD = libldapfacts.la libbackend.la libstate.la $(CMOCKA_LIBS)
tests_unit_test_ldap_response_CFLAGS = $(AM_CFLAGS) $(LDAP_CFLAGS)
tests_unit_test_ldap_response_LDADD = libldapfacts.la libbackend.la libstate.la $(CMOCKA_LIBS)
tests_unit_test_ldap_entry_CFLAGS = $(AM_CFLAGS) $(LDAP_CFLAGS)
tests_unit_test_ldap_entry_LDADD = libldapfacts.la libbackend.la libstate.la $(CMOCKA_LIBS)
tests_unit_test_ldap_ledger_entry_CFLAGS = $(AM_CFLAGS) $(LDAP_CFLAGS)
tests_unit_test_ldap_ledger_entry_LDADD = libldapfacts.la libbackend.la libstate.la $(CMOCKA_LIBS)
tests_unit_test_ldap_dn_index_CFLAGS = $(AM_CFLAGS) $(LDAP_CFLAGS)
tests_unit_test_ldap_dn_index_LDADD = libldapfacts.la libbackend.la libstate.la $(CMOCKA_LIBS)
tests_unit_test_ldap_rootdse_CFLAGS = $(AM_CFLAGS) $(LDAP_CFLAGS)
tests_unit_test_ldap_rootdse_LDADD = libldapfacts.la libbackend.la libstate.la $(CMOCKA_LIBS)
tests_unit_test_ldap_sync_CFLAGS = $(AM_CFLAGS) $(LDAP_CFLAGS)
tests_unit_test_ldap_sync_LDADD = libldapfacts.la libbackend.la libstate.la $(CMOCKA_LIBS)
tests_unit_test_crypt_SOURCES = tests/unit/test_crypt.c \
	tests/unit/count_crypt.c tests/unit/count_crypt.h
tests_unit_test_history_SOURCES = tests/unit/test_history.c \
	tests/unit/count_crypt.c tests/unit/count_crypt.h

# Threads are watched in a program of their own, since all that it is made of
# must be instrumented.
RACE_TESTS =
if HAVE_TSAN
RACE_TESTS += tests/unit/race_nss
endif
tests_unit_race_nss_SOURCES = tests/unit/race_nss.c \
	$(libstate_la_SOURCES) nss/answer.c nss/answer.h \
	tests/unit/published.c tests/unit/published.h
tests_unit_race_nss_CFLAGS = $(AM_CFLAGS) -fsanitize=thread
tests_unit_race_nss_LDFLAGS = $(AM_LDFLAGS) -fsanitize=thread -pthread
tests_unit_race_nss_LDADD =

# Shell tests, and the program that they ask.
dist_check_SCRIPTS = tests/unit/test_man.sh tests/unit/test_build.sh \
	tests/unit/test_includes.sh
SHELL_TESTS = tests/unit/test_man.sh tests/unit/test_includes.sh
# An instrumented module has symbols and libraries of its instruments.
if !INSTRUMENTED
SHELL_TESTS += tests/unit/test_build.sh
endif
EXTRA_PROGRAMS += tests/unit/print_tables
check_DATA = tests/unit/print_tables man/selfreset-events.7 \
	man/selfreset.catalog

check_PROGRAMS = $(RACE_TESTS)
if HAVE_CMOCKA
check_PROGRAMS += $(UNIT_TESTS)
endif
TESTS = $(check_PROGRAMS) $(SHELL_TESTS)

# ---- what the system tests drive PAM with: "make drivers"
EXTRA_PROGRAMS += tests/driver/pamdrive tests/driver/nssdrive \
	tests/driver/nssdrive-static tests/driver/nsswrite
tests_driver_nssdrive_LDADD = -ldl -lpthread
tests_driver_nssdrive_static_SOURCES = tests/driver/nssdrive.c
tests_driver_nssdrive_static_LDFLAGS = $(AM_LDFLAGS) -all-static
tests_driver_nssdrive_static_LDADD = -ldl -lpthread
tests_driver_nsswrite_SOURCES = tests/driver/nsswrite.c \
	tests/unit/published.c tests/unit/published.h
tests_driver_nsswrite_LDADD = libstate.la
EXTRA_PROGRAMS += tests/driver/pamdrive tests/driver/publishdrive
EXTRA_LTLIBRARIES = tests/driver/cryptcount.la
tests_driver_pamdrive_LDADD = $(PAM_LIBS)
EXTRA_PROGRAMS += tests/driver/foldlines
tests_driver_foldlines_LDADD = libpolicy.la
drivers: tests/driver/foldlines
tests_driver_cryptcount_la_SOURCES = tests/driver/cryptcount.c
tests_driver_cryptcount_la_CFLAGS = $(AM_CFLAGS) $(CRYPT_CFLAGS)
tests_driver_cryptcount_la_LDFLAGS = $(AM_LDFLAGS) -module -avoid-version \
	-shared -rpath $(pkglibdir)
tests_driver_cryptcount_la_LIBADD = $(CRYPT_LIBS) -ldl
EXTRA_LTLIBRARIES += tests/driver/libnss_leaky.la
tests_driver_libnss_leaky_la_SOURCES = tests/driver/leaky.c
tests_driver_libnss_leaky_la_LDFLAGS = $(AM_LDFLAGS) -module -avoid-version \
	-shared -shrext .so.2 -rpath $(pkglibdir)
EXTRA_LTLIBRARIES += tests/driver/libnss_deaf.la
tests_driver_libnss_deaf_la_SOURCES = tests/driver/deaf.c
tests_driver_libnss_deaf_la_LDFLAGS = $(AM_LDFLAGS) -module -avoid-version \
	-shared -shrext .so.2 -no-undefined -rpath /nowhere
drivers: tests/driver/libnss_leaky.la tests/driver/libnss_deaf.la
EXTRA_LTLIBRARIES += tests/driver/libnss_spelling.la
tests_driver_libnss_spelling_la_SOURCES = tests/driver/spelling.c
tests_driver_libnss_spelling_la_LDFLAGS = $(AM_LDFLAGS) -module -avoid-version \
	-shared -shrext .so.2 -rpath $(pkglibdir)
drivers: tests/driver/libnss_spelling.la
tests_driver_publishdrive_LDADD = libpolicy.la
drivers: tests/bench/nssbench \
	tests/driver/pamdrive tests/driver/cryptcount.la \
	tests/driver/nssdrive tests/driver/nssdrive-static \
	tests/driver/nsswrite tests/driver/publishdrive
if RESET
EXTRA_PROGRAMS += tests/driver/resetdrive
tests_driver_resetdrive_LDADD = libreset.la libpolicy.la
drivers: tests/driver/resetdrive
endif
.PHONY: drivers

# ---- what tests/bench/run measures with: "make benches"
EXTRA_PROGRAMS += tests/bench/nssbench tests/bench/pambench tests/bench/policy
tests_bench_nssbench_LDADD = libpolicy.la -ldl
tests_bench_pambench_CFLAGS = $(AM_CFLAGS) $(CRYPT_CFLAGS)
tests_bench_pambench_LDFLAGS = $(AM_LDFLAGS) -export-dynamic
tests_bench_pambench_LDADD = $(PAM_LIBS) -ldl
tests_bench_policy_LDADD = libpolicy.la
if LDAP
BENCH_LDAP = tests/bench/ldapfloor
EXTRA_PROGRAMS += $(BENCH_LDAP)
tests_bench_ldapfloor_CFLAGS = $(AM_CFLAGS) $(LDAP_CFLAGS)
tests_bench_ldapfloor_LDADD = -ldl
endif
benches: tests/bench/pambench tests/bench/policy $(BENCH_LDAP) drivers
.PHONY: benches
EXTRA_DIST += tests/packaging.py tests/bench/run tests/bench/bench.py tests/bench/peers.py \
	tests/bench/domain.py tests/bench/helping.py tests/bench/logins.py tests/bench/relay.py tests/bench/table.py
CLEANFILES += $(EXTRA_PROGRAMS) $(EXTRA_LTLIBRARIES)
EXTRA_DIST += tests/demo tests/run tests/lib.sh tests/system tests/package tests/vm .ci/run

# ---- fuzzing: "make fuzz FUZZ_SECONDS=600" after configure --enable-fuzzers
# CC=clang; "make check" there runs each target once over its corpus.
EXTRA_DIST += tests/fuzz/corpus tests/fuzz/expect.h tests/fuzz/entries.h
FUZZ_TARGETS =
if FUZZERS
FUZZ_TARGETS += tests/fuzz/fuzz_config
FUZZ_TARGETS += tests/fuzz/fuzz_shadow
if LDAP
FUZZ_TARGETS += tests/fuzz/fuzz_ad
FUZZ_TARGETS += tests/fuzz/fuzz_ldap
FUZZ_TARGETS += tests/fuzz/fuzz_server
endif
if KRB5
FUZZ_TARGETS += tests/fuzz/fuzz_kerberos
endif
FUZZ_TARGETS += tests/fuzz/fuzz_snapshot
FUZZ_TARGETS += tests/fuzz/fuzz_store
FUZZ_TARGETS += tests/fuzz/fuzz_wire
if RESET
FUZZ_TARGETS += tests/fuzz/fuzz_reset
endif
endif
noinst_PROGRAMS = $(FUZZ_TARGETS)
FUZZ_SECONDS = 60
FUZZ_CFLAGS = $(AM_CFLAGS) -fsanitize=fuzzer
FUZZ_LINK = $(AM_LDFLAGS) -fsanitize=fuzzer

tests_fuzz_fuzz_config_CFLAGS = $(FUZZ_CFLAGS)
tests_fuzz_fuzz_config_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_ad_CFLAGS = $(FUZZ_CFLAGS) $(LDAP_CFLAGS)
tests_fuzz_fuzz_ad_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_ad_LDADD = libldapfacts.la libbackend.la libstate.la
tests_fuzz_fuzz_ldap_CFLAGS = $(FUZZ_CFLAGS) $(LDAP_CFLAGS)
tests_fuzz_fuzz_ldap_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_ldap_LDADD = libldapfacts.la libpolicy.la
tests_fuzz_fuzz_server_CFLAGS = $(FUZZ_CFLAGS) $(LDAP_CFLAGS)
tests_fuzz_fuzz_server_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_server_LDADD = libldapfacts.la libpolicy.la
tests_fuzz_fuzz_kerberos_CFLAGS = $(FUZZ_CFLAGS)
tests_fuzz_fuzz_kerberos_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_kerberos_LDADD = libkrb5facts.la libsrv.la libbackend.la
tests_fuzz_fuzz_shadow_CFLAGS = $(FUZZ_CFLAGS)
tests_fuzz_fuzz_shadow_LDFLAGS = $(FUZZ_LINK)
# The system calls of a lookup, and its clock, are the fuzzer's.
tests_fuzz_fuzz_snapshot_SOURCES = tests/fuzz/fuzz_snapshot.c \
	nss/answer.c nss/module.c
tests_fuzz_fuzz_snapshot_CFLAGS = $(FUZZ_CFLAGS)
tests_fuzz_fuzz_snapshot_LDFLAGS = $(FUZZ_LINK) -Wl,--wrap=open \
	-Wl,--wrap=pread -Wl,--wrap=close -Wl,--wrap=fstat \
	-Wl,--wrap=readlink -Wl,--wrap=clock_gettime
tests_fuzz_fuzz_snapshot_LDADD = libstate.la
EXTRA_PROGRAMS += tests/fuzz/seed_snapshot
tests_fuzz_seed_snapshot_SOURCES = tests/fuzz/seed_snapshot.c \
	tests/unit/published.c tests/unit/published.h
tests_fuzz_seed_snapshot_LDADD = libstate.la
EXTRA_PROGRAMS += tests/fuzz/seed_store
tests_fuzz_seed_store_SOURCES = tests/fuzz/seed_store.c \
	tests/unit/scratch.c tests/unit/scratch.h
tests_fuzz_seed_store_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=clock_gettime \
	-Wl,--wrap=open
tests_fuzz_seed_store_LDADD = libpolicy.la $(CMOCKA_LIBS)
tests_fuzz_fuzz_store_CFLAGS = $(FUZZ_CFLAGS)
tests_fuzz_fuzz_store_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_reset_CFLAGS = $(FUZZ_CFLAGS)
tests_fuzz_fuzz_reset_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_reset_LDADD = libreset.la libpolicy.la
tests_fuzz_fuzz_wire_CFLAGS = $(FUZZ_CFLAGS)
tests_fuzz_fuzz_wire_LDFLAGS = $(FUZZ_LINK)

fuzz: $(FUZZ_TARGETS)
	@for target in $(FUZZ_TARGETS); do \
	    name=$${target##*fuzz_}; $(MKDIR_P) found/$$name && \
	    ./$$target -max_total_time=$(FUZZ_SECONDS) -timeout=10 \
	        found/$$name $(srcdir)/tests/fuzz/corpus/$$name || exit 1; \
	done
check-local: $(FUZZ_TARGETS)
	@for target in $(FUZZ_TARGETS); do \
	    SELFRESET_FUZZ_REACH=yes ./$$target -timeout=10 \
	        $(srcdir)/tests/fuzz/corpus/$${target##*fuzz_}/* || exit 1; \
	done
.PHONY: fuzz
