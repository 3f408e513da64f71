/*
 * Greeter: the dialogue of a forgotten password, inside authenticate.
 *
 * A display manager has no terminal on which the captive account could run
 * selfreset(1), so the dialogue is had by the application's conversation.  It
 * is selfreset-helper's, with the same screens, proofs, limits and floors; this
 * end shows what it says and asks what it asks.
 *
 * Greeters show one label and one line of input.  Many replace the text by the
 * next one at once, some show no prompt beside a text, and all of them begin
 * another conversation after a refusal, which clears what was shown.  So all
 * that is said before a question is one text; a text has the lines of its
 * paragraphs joined, since a label is narrower or wider than a terminal; and
 * the last one is shown until it is answered by an empty line.  Its last
 * sentence is then the error with which the login is refused.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_PAM_GREETER_H
#define SR_PAM_GREETER_H

#include "pam/context.h"

/*
 * Have the dialogue.  Only where sr_captive_talks().  Never PAM_SUCCESS:
 * PAM_AUTH_ERR when it has ended, whatever came of it; PAM_CONV_ERR when a
 * question was not answered, which ends it, too; PAM_AUTHINFO_UNAVAIL when no
 * helper listens, or it went away, after saying so; PAM_BUF_ERR.
 */
int sr_greeter(struct sr_pam_context *ctx);

#endif
