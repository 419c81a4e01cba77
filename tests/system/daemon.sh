# For the tests that start the real daemon: to be sourced. Everything happens in a directory of the test's
# own, on a port that is free; what was started is stopped by its process id when the test ends.
# shellcheck shell=sh
LC_ALL=C
export LC_ALL
for tool in dig ps; do
    command -v $tool >/dev/null || {
        echo "$tool is not installed"
        exit 77
    }
done
top=$(cd "${srcdir:-.}" && pwd)
sorreld=$(pwd)/sorreld
scratch=$(mktemp -d)
RUNTIME_DIRECTORY=$scratch # the control sockets of the daemons go there
export RUNTIME_DIRECTORY
log=$scratch/log
control=$scratch/control
daemon=
failures=0

clean_up()
{
    for pid in $daemon $others; do
        kill -KILL "$pid" 2>/dev/null || true
    done
    rm -rf "$scratch"
}
others=
trap clean_up EXIT
trap 'exit 1' HUP INT TERM

complain()
{
    echo "$*"
    failures=$((failures + 1))
}

# expect TEXT GOT WANTED
expect()
{
    [ "$2" = "$3" ] || complain "$1: got '$2', expected '$3'"
}

give_up()
{
    echo "$*"
    [ ! -f "$log" ] || sed 's/^/    log: /' "$log"
    exit 99
}

end()
{
    ! logged "made a system call\|Bad system call" 2>/dev/null || complain "the sandbox has killed a worker"
    [ "$failures" -eq 0 ] || {
        [ ! -f "$log" ] || sed 's/^/    log: /' "$log"
        exit 1
    }
    exit 0
}

# wait_until SECONDS COMMAND...: until COMMAND succeeds; 1 if it never does
wait_until()
{
    tries=$(($1 * 50))
    shift
    while ! "$@"; do
        tries=$((tries - 1))
        [ $tries -gt 0 ] || return 1
        sleep 0.02
    done
}

# mark: what is written after it is newer, however coarse the clock of files is. is_newer FILE: has it been?
mark()
{
    touch "$scratch/mark"
    wait_until 10 clock_has_moved || give_up "the clock of files stands still"
}

clock_has_moved()
{
    touch "$scratch/moment"
    is_newer "$scratch/moment"
}

is_newer()
{
    [ "$(find "$1" -newer "$scratch/mark" 2>/dev/null)" != '' ]
}

# settled DIRECTORY: waits until no file in it has changed just now. The time of such a change is not relied on, and
# the table is kept once more later.
settled()
{
    wait_until 20 has_settled "$1" || give_up "the files in $1 keep changing"
}

has_settled()
{
    [ "$(find "$1" -type f -newerct '0.3 seconds ago')" = '' ]
}

is_gone()
{
    case $(ps -o stat= -p "$1") in '' | Z*) return 0 ;; *) return 1 ;; esac
}

logged()
{
    grep -q -e "$1" "$log"
}

# A port that nobody has, below those that the kernel gives to clients.
free_port()
{
    for attempt in 1 2 3 4 5 6 7 8 9 10; do
        candidate=$((10000 + $(od -An -N2 -tu2 /dev/urandom) % 20000))
        cat /proc/net/tcp /proc/net/tcp6 /proc/net/udp /proc/net/udp6 2>/dev/null |
            grep -q "$(printf ': [0-9A-F]*:%04X ' $candidate)" || break
    done
    echo $candidate
}

serves_or_is_gone()
{
    logged '^sorreld: serving ' || is_gone "$daemon"
}

# start_daemon ADDRESSES ARGUMENT...: starts sorreld on a free port ($port) of each address, and waits until it
# serves. Its process is $daemon.
start_daemon()
{
    addresses=$1
    shift
    for attempt in 1 2 3 4 5 6 7 8 9 10; do
        port=$(free_port)
        listen=
        for address in $addresses; do listen="$listen -l $address@$port"; done
        : >"$log" # the last daemon's says "serving" until the new one's is opened
        # shellcheck disable=SC2086 # a list of words
        "$sorreld" $listen "$@" 2>>"$log" &
        daemon=$!
        wait_until 20 serves_or_is_gone || give_up "the daemon neither serves nor ends"
        ! logged '^sorreld: serving ' || return 0
        logged ' is in use ' || give_up "the daemon does not start"
    done
    give_up "no free port in $attempt attempts"
}

# stop_daemon SIGNAL: sets $status to its exit status
stop_daemon()
{
    kill -"$1" "$daemon"
    status=0
    wait "$daemon" || status=$?
    daemon=
}

# children PID NAME: the process ids of its children
workers()
{
    ps -o pid=,ppid=,stat= -A | awk -v parent="$daemon" '$2 == parent && $3 !~ /^Z/ { print $1 }'
}

count_workers()
{
    workers | wc -l
}

# ask ARGUMENT...: what dig +short says
ask()
{
    dig +short +tries=1 +time=5 +norecurse -p "$port" "$@"
}

# write_zone FILE VERSION: a small zone for any origin; TXT of its name `version` is VERSION
write_zone()
{
    cat >"$1" <<END
\$TTL 60
@ SOA ns hostmaster $2 3600 600 86400 60
@ NS ns
ns A 192.0.2.1
ns AAAA 2001:db8::1
version TXT "$2"
END
}

has_ipv6()
{
    grep -q '^0\{31\}1 ' /proc/net/if_inet6 2>/dev/null
}
