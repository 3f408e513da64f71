# Completion: fish completes the commands, options and accounts of selfresetctl.
# SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later

set -l commands status list log unlock unthrottle temporary must-change explain age password-check check pam nss groups reset rotate migrate ticket gates notices why report health metrics events
set -l users status log unlock temporary must-change explain age password-check ticket gates
set -l states disabled ended not-yet locked out-of-hours off-workstation lapsed barred must-change expired grace expiring ok unknown
set -l backends "cat /etc/security/selfreset.conf{,.d/*.conf} 2>/dev/null | string replace -rf '^\\[backend (.*)\\].*' '\$1'"

complete -c selfresetctl -f
complete -c selfresetctl -n "not __fish_seen_subcommand_from $commands" -a "$commands"
complete -c selfresetctl -n "not __fish_seen_subcommand_from $commands" -s c -l config -r -F
complete -c selfresetctl -n "not __fish_seen_subcommand_from $commands" -s V -l version
complete -c selfresetctl -l help
complete -c selfresetctl -n "__fish_seen_subcommand_from $commands" -l json
complete -c selfresetctl -n "__fish_seen_subcommand_from $users" -a "(__fish_complete_users)"
complete -c selfresetctl -n "__fish_seen_subcommand_from unlock unthrottle temporary must-change pam nss groups reset rotate migrate ticket gates notices" -l dry-run
complete -c selfresetctl -n "__fish_seen_subcommand_from list" -l state -x -a "(__fish_complete_list , 'printf \"%s\\n\" $states')"
complete -c selfresetctl -n "__fish_seen_subcommand_from list unthrottle" -l all
complete -c selfresetctl -n "__fish_seen_subcommand_from log" -l since -x
complete -c selfresetctl -n "__fish_seen_subcommand_from unthrottle" -a console
complete -c selfresetctl -n "__fish_seen_subcommand_from temporary ticket" -l lifetime -x
complete -c selfresetctl -n "__fish_seen_subcommand_from temporary" -l force
complete -c selfresetctl -n "__fish_seen_subcommand_from must-change" -l clear
complete -c selfresetctl -n "__fish_seen_subcommand_from gates" -l clear -x -a "app codes ticket mail key sms voice push contact"
complete -c selfresetctl -n "__fish_seen_subcommand_from gates" -l clear-all
complete -c selfresetctl -n "__fish_seen_subcommand_from gates" -l unlock
complete -c selfresetctl -n "__fish_seen_subcommand_from notices" -l send
complete -c selfresetctl -n "__fish_seen_subcommand_from notices" -l try -x
complete -c selfresetctl -n "__fish_seen_subcommand_from explain" -l service -x -a "(ls /etc/pam.d 2>/dev/null)"
complete -c selfresetctl -n "__fish_seen_subcommand_from explain" -l at -x
complete -c selfresetctl -n "__fish_seen_subcommand_from explain" -l rhost -x -a "(__fish_print_hostnames)"
complete -c selfresetctl -n "__fish_seen_subcommand_from check" -l backend -x -a "($backends)"
complete -c selfresetctl -n "__fish_seen_subcommand_from rotate" -a "($backends)"
complete -c selfresetctl -n "__fish_seen_subcommand_from check" -l test-entry -x -a "(__fish_complete_users)"
complete -c selfresetctl -n "__fish_seen_subcommand_from check" -l ask-password
complete -c selfresetctl -n "__fish_seen_subcommand_from check" -l hashes
complete -c selfresetctl -n "__fish_seen_subcommand_from check" -l nagios
complete -c selfresetctl -n "__fish_seen_subcommand_from check" -l benchmark -x -a "cis stig"
complete -c selfresetctl -n "__fish_seen_subcommand_from report" -l from -x
complete -c selfresetctl -n "__fish_seen_subcommand_from report" -l to -x
complete -c selfresetctl -n "__fish_seen_subcommand_from report" -l csv
complete -c selfresetctl -n "__fish_seen_subcommand_from metrics" -l file -r -F
complete -c selfresetctl -n "__fish_seen_subcommand_from pam nss" -l enable
complete -c selfresetctl -n "__fish_seen_subcommand_from pam nss" -l disable
complete -c selfresetctl -n "__fish_seen_subcommand_from pam nss groups reset" -l check
complete -c selfresetctl -n "__fish_seen_subcommand_from groups" -l create
complete -c selfresetctl -n "__fish_seen_subcommand_from reset" -l setup
complete -c selfresetctl -n "__fish_seen_subcommand_from reset" -l remove
