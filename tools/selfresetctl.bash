# Completion: bash completes the commands, options and accounts of selfresetctl.
# SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later

_selfresetctl_backends()
{
    sed -n 's/^\[backend \(.*\)\].*$/\1/p' /etc/security/selfreset.conf \
        /etc/security/selfreset.conf.d/*.conf 2>/dev/null
}

_selfresetctl()
{
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
    local commands="status list log unlock unthrottle temporary must-change
        explain age password-check check pam nss groups reset rotate migrate
        ticket gates notices why report
        health metrics events"
    local states="disabled ended not-yet locked out-of-hours off-workstation lapsed barred must-change
        expired grace expiring ok unknown"
    local command= options= head= i

    # "--state=x" are three words for bash.
    if [[ $word == "=" ]]; then
        word=
    elif [[ $before == "=" ]]; then
        before=${COMP_WORDS[COMP_CWORD - 2]}
    fi

    for ((i = 1; i < COMP_CWORD; i++)); do
        case ${COMP_WORDS[i]} in
        --config | -c)
            ((i++))
            [[ ${COMP_WORDS[i]} != "=" ]] || ((i++))
            ;;
        -*) ;;
        *)
            command=${COMP_WORDS[i]}
            break
            ;;
        esac
    done

    case $before in
    --config | -c | --file)
        COMPREPLY=($(compgen -f -- "$word"))
        return
        ;;
    --state)
        [[ $word != *,* ]] || head=${word%,*},
        COMPREPLY=($(compgen -P "$head" -W "$states" -- "${word##*,}"))
        return
        ;;
    --service)
        COMPREPLY=($(compgen -W "$(ls /etc/pam.d 2>/dev/null)" -- "$word"))
        return
        ;;
    --rhost)
        COMPREPLY=($(compgen -A hostname -- "$word"))
        return
        ;;
    --test-entry)
        COMPREPLY=($(compgen -u -- "$word"))
        return
        ;;
    --backend)
        COMPREPLY=($(compgen -W "$(_selfresetctl_backends)" -- "$word"))
        return
        ;;
    --benchmark)
        COMPREPLY=($(compgen -W "cis stig" -- "$word"))
        return
        ;;
    --clear)
        if [[ $command == gates ]]; then
            COMPREPLY=($(compgen -W "app codes ticket mail key sms voice push contact" -- "$word"))
            return
        fi
        ;;
    --at | --since | --lifetime | --try | --from | --to)
        return
        ;;
    esac

    case $command in
    "") options="--config --help --version" ;;
    status) options="--json --help" ;;
    list) options="--state --all --json --help" ;;
    log) options="--since --json --help" ;;
    unlock) options="--dry-run --json --help" ;;
    unthrottle) options="--all --dry-run --json --help" ;;
    temporary) options="--lifetime --force --dry-run --json --help" ;;
    must-change) options="--clear --dry-run --json --help" ;;
    explain) options="--service --at --rhost --json --help" ;;
    age) options="--json --help" ;;
    password-check) options="--json --help" ;;
    check) options="--backend --test-entry --ask-password --hashes --benchmark --nagios --json --help" ;;
    migrate) options="--dry-run --json --help" ;;
    ticket) options="--lifetime --dry-run --json --help" ;;
    gates) options="--clear --clear-all --unlock --dry-run --json --help" ;;
    notices) options="--send --try --dry-run --json --help" ;;
    why) options="--json --help" ;;
    report) options="--from --to --csv --json --help" ;;
    health) options="--json --help" ;;
    rotate) options="--dry-run --json --help" ;;
    events) options="--json --help" ;;
    metrics) options="--file --json --help" ;;
    pam) options="--enable --disable --check --dry-run --json --help" ;;
    nss) options="--enable --disable --check --dry-run --json --help" ;;
    groups) options="--create --check --dry-run --json --help" ;;
    reset) options="--setup --remove --check --dry-run --json --help" ;;
    *) options="--help" ;;
    esac

    if [[ $word == -* ]]; then
        COMPREPLY=($(compgen -W "$options" -- "$word"))
        return
    fi
    case $command in
    "") COMPREPLY=($(compgen -W "$commands" -- "$word")) ;;
    status | log | unlock | temporary | must-change | explain | age | password-check | ticket | gates)
        COMPREPLY=($(compgen -u -- "$word"))
        ;;
    unthrottle)
        COMPREPLY=($(compgen -W "console --all" -- "$word"))
        ;;
    rotate) COMPREPLY=($(compgen -W "$(_selfresetctl_backends)" -- "$word")) ;;
    nss | pam) COMPREPLY=($(compgen -W "--enable --disable --check" -- "$word")) ;;
    groups) COMPREPLY=($(compgen -W "--create --check" -- "$word")) ;;
    reset) COMPREPLY=($(compgen -W "--setup --remove --check" -- "$word")) ;;
    esac
}

complete -F _selfresetctl selfresetctl
