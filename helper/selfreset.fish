# Completion: fish completes the commands of selfreset.
# SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later

complete -c selfreset -f
complete -c selfreset -n __fish_is_first_arg -a "reset enroll status codes remove report accept confirm decline"
complete -c selfreset -n __fish_is_first_arg -l help
complete -c selfreset -n __fish_is_first_arg -l version
