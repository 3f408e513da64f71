/*
 * Domain: the domain controllers that are asked, by the configuration or by
 * DNS, and the names that the domain has in Kerberos and in the directory.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_BACKEND_AD_DOMAIN_H
#define SR_POLICY_BACKEND_AD_DOMAIN_H

#include "policy/config/settings.h"
#include "policy/util/error.h"

struct sr_ad_domain {
    char *realm;     /* EXAMPLE.ORG */
    char *dn;        /* DC=example,DC=org */
    char *principal; /* whose key this host uses: NAME$@REALM */
    struct sr_string_list host;
    /* The same controllers: for the directory as this host, for binds as a
     * user (TLS), and as KDCs. */
    struct sr_string_list directory, bind, kdc;
};

/*
 * Look up the domain of a backend's section until the deadline `end`.
 * Controllers are those of "uri", else those that DNS names for the site
 * (_ldap._tcp.SITE._sites.dc._msdcs.REALM) and then for the domain.  False, and
 * `error` says why: nothing is known.
 */
bool sr_ad_domain_find(const struct sr_backend_config *config, int64_t end,
                       struct sr_ad_domain *domain, struct sr_error *error);
void sr_ad_domain_clear(struct sr_ad_domain *domain);

/* Have the controller of this name asked before the others. */
void sr_ad_domain_prefer(struct sr_ad_domain *domain, const char *host);

/*
 * The controller that knows each new password first, the PDC emulator, by DNS
 * (_ldap._tcp.pdc._msdcs.REALM).  False: DNS has none.
 */
bool sr_ad_domain_pdc(const struct sr_ad_domain *domain, int64_t end,
                      char host[256]);

#endif
