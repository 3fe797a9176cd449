# Start the agent with an interpreter that has vaemon. Runs in whatever sh the far machine has; writes to stderr alone.
# $1  the interpreter asked for, or nothing
# $2  the run, by its name or its folder, or a folder of runs, or nothing
# $3  a folder of runs, or nothing: where runs are by default
# In each, ~/ is the login folder.
# Exit codes: 83 no interpreter there has vaemon. 84 one may have it, but others could have put it there; it is told.
# 85 the interpreter asked for has no vaemon.

# Whether $1 is an interpreter that has vaemon, and what that needs; to import it all would take as long as to start.
has_vaemon() {
    command -v "$1" && "$1" -P -c 'import importlib.util as packages, sys
sys.exit(not all(map(packages.find_spec, ("vaemon.agent", "h5py", "msgspec", "numpy"))))' < /dev/null
} > /dev/null 2>&1
go() { exec "$1" -P -m vaemon agent; }
export PYTHONDONTWRITEBYTECODE=1
unset CDPATH

me=$(id -u) private=
# A group of the user's own name that nobody else is in is as good as none.
if [ "$(id -gn)" = "$(id -un)" ] && group=$(getent group "$(id -g)" 2> /dev/null) && [ "${group##*:}" = "" ]; then
    private=$(id -g)
fi

# Whether the file or folder $1 is the user's or root's, and nobody else may write it; $2: what lets it pass besides.
is_mine() {
    [ -n "$(find "$1" -prune \( -user "$me" -o -user 0 \) \( -type l -o ! -perm -002 ${2:+-o $2} \) \
        \( -type l -o ! -perm -020 ${private:+-o -group "$private"} ${2:+-o $2} \) 2> /dev/null)" ]
}

# Whether nobody else could put another file in the place of $1, a full path, or of any folder or link on the way to it.
# A folder like /tmp lets others make files, but not touch those of others.
is_trusted() {
    links=0
    while [ $# -gt 0 ]; do
        step=$(dirname "$1/.")
        shift
        while [ "$step" != / ]; do
            is_mine "$step" '-type d -perm -1000' || return 1
            if [ -L "$step" ]; then
                links=$((links + 1))
                [ $links -le 40 ] || return 1
                next=$(readlink "$step")
                case $next in /*) ;; *) next=$(dirname "$step")/$next ;; esac
                set -- "$@" "$next"
            fi
            step=$(dirname "$step")
        done
        is_mine / || return 1
    done
}

# The interpreter that the run in folder $1 says it was written with; nothing where it says none.
recorded() {
    head -c 4000000 "$1/run.json" 2> /dev/null | sed -n 's|^ "python": "\(/[^"\\]*\)",\{0,1\}$|\1|p' | head -n 1
}

# Go with the interpreter of the run in folder $1, or note that it may not be trusted.
try_run() {
    folder=$(cd "$1" && pwd -P) || return
    python=$(recorded "$folder")
    case "$seen" in *"|${folder%/*}:$python|"*) return ;; esac
    if [ -z "$python" ] || [ ! -x "$python" ]; then return; fi
    if is_mine "$folder" && is_mine "$folder/run.json"; then
        seen="$seen|${folder%/*}:$python|" # what is yet to be found out is the same for each run beside it
        if is_trusted "$folder/run.json" && is_trusted "$python"; then
            has_vaemon "$python" && go "$python"
            return
        fi
    fi
    untrusted=${untrusted:-$python}
}

cd || exit 83
seen= untrusted=
asked=$1 run=$2 runs=${3:-${VAEMON_RUNS:-runs}}
if [ -n "$asked" ]; then
    case $asked in '~/'*) asked=$HOME${asked#'~'} ;; esac
    has_vaemon "$asked" && go "$asked"
    exit 85
fi
case $run in '' | */*) ;; *) run=$runs/$run ;; esac
case $run in '~/'*) run=$HOME${run#'~'} ;; esac
case $runs in '~' | '~/'*) runs=$HOME${runs#'~'} ;; esac
if [ -n "$run" ] && [ -f "$run/run.json" ]; then try_run "$run"; fi
if command -v vaemon > /dev/null 2>&1; then exec vaemon agent; fi
for python in python3 python; do has_vaemon $python && go $python; done
count=0
for each in "$runs"/*/run.json ${run:+"$run"/*/run.json}; do
    count=$((count + 1))
    if [ -f "$each" ] && [ $count -le 200 ]; then try_run "${each%/run.json}"; fi
done
if [ -n "$untrusted" ]; then
    echo "vaemon-untrusted: $untrusted" >&2
    exit 84
fi
exit 83
