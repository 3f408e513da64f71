# Makes the message catalog of the journal from policy/report/events.def, for
# journalctl --catalog.
# SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later

# What to do about an event, by its id; most need nothing.
function advice(id) {
    if (id ~ /^SR-220[15]/)
        return "To see until when, run \"selfresetctl status USER\"; to end" \
            " it, run\n\"selfresetctl unlock USER\"."
    if (id == "SR-2204")
        return "They are open again after 10 minutes.  The events SR-1032" \
            " name the sources;\nblock those that you do not know."
    if (id == "SR-2208")
        return "It ends after 24 hours, or with a higher limit (sms_daily," \
            " voice_daily or\npush_daily of selfreset.conf(5)); the events" \
            " SR-1041 tell who asked for codes."
    if (id == "SR-3102")
        return "The user has to set up another address by \"selfreset" \
            " enroll\"; see also\nphone_prefixes and mail_refuse of" \
            " selfreset.conf(5)."
    if (id == "SR-2203")
        return "To end it, run \"selfresetctl unthrottle SOURCE\"."
    if (id == "SR-3001" || id == "SR-3204" || id == "SR-3205" ||
        id == "SR-3211" || id == "SR-3213" || id == "SR-3214" || id ~ /^SR-33/)
        return "To see the cause and what to do, run \"selfresetctl check\"."
    if (id ~ /^SR-320[12]/)
        return "To see whether the helper listens, run\n\"systemctl status" \
            " selfreset-helper.socket selfreset-reset.socket\";\n" \
            "selfreset-helper(8) says what it refuses."
    if (id == "SR-3206")
        return "To take them over, run \"selfresetctl migrate\"."
    if (id == "SR-3002" || id == "SR-3013" || id == "SR-3023" ||
        id == "SR-2207" || id == "SR-5004" || id == "SR-5100" ||
        id == "SR-5110")
        return "To see the cause and what to do, run \"selfresetctl check" \
            " --backend NAME\"\nwith the backend of SELFRESET_BACKEND."
    if (id ~ /^SR-(1014|1015|1208|301[5-8]|3020|2102)$/)
        return "To see which fact and rule decide, run \"selfresetctl explain" \
            " USER\"."
    if (id ~ /^SR-(100[123]|1023|103[12]|1041|110[567]|2004|2202|310[14])$/)
        return "To see what else happened in the same dialogue, run" \
            " \"selfresetctl why REF\"\nwith the reference of SELFRESET_REF."
    return "To see what else happened to the account, run \"selfresetctl log" \
        " USER\"."
}

BEGIN { print "# Made from events.def." }

# An entry goes over lines and ends with a bracket.
/^EVENT\(/ || entry != "" { entry = entry $0 }

entry ~ /"\)$/ {
    # id 2, name 4, message id 8, text 10
    split(entry, part, "\"")
    printf "\n-- %s\n", part[8]
    printf "Subject: %s %s\n", part[2], part[4]
    print "Defined-By: selfreset"
    print "Documentation: man:selfreset-events(7)"
    printf "\n%s%s.\n", toupper(substr(part[10], 1, 1)), substr(part[10], 2)
    print "The fields SELFRESET_USER, SELFRESET_SOURCE and SELFRESET_CAUSE name" \
        " the account,\nthe source and the cause."
    print advice(part[2])
    entry = ""
}
