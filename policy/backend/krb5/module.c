/*
 * Module: what the Kerberos backend exports.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include "policy/backend/krb5/krb5.h"

extern const struct sr_backend_module selfreset_backend;

__attribute__((visibility("default")))
const struct sr_backend_module selfreset_backend = {SR_BACKEND_VERSION,
                                                    &sr_krb5_operations};
