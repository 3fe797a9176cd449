# Start the agent with an interpreter that has vaemon. Runs in whatever sh the far machine has; writes to stderr alone.
# $1  the interpreter asked for, or nothing
# $2  the folder of the run, or nothing; ~/ is the login folder
# $3  a folder of runs, or nothing: where runs are by default
# Exit codes: 83 no interpreter there has vaemon. 84 one may have it, but others could have put it there; it is told.
# 85 the interpreter asked for has no vaemon.

# Whether $1 is an interpreter that has vaemon, and what that needs; to import it all would take as long as to start.
has_vaemon() {
    command -v "$1" && "$1" -P -c 'import importlib.util as packages, sys
sys.exit(not all(map(packages.find_spec, ("vaemon.agent", "h5py", "msgspec", "numpy"))))' < /dev/null
} > /dev/null 2>&1
go() { exec "$1" -P -B -m vaemon agent; }

me=$(id -u) private=
# A group of the user's own name that nobody else is in is as good as none.
if [ "$(id -gn)" = "$(id -un)" ] && [ -z "$(getent group "$(id -g)" 2> /dev/null | cut -d: -f4)" ] && command -v getent > /dev/null; then
    private=$(id -g)
fi
# Whether the file or folder $1 is the user's or root's, and nobody else may write it; $2: what lets a folder pass besides.
is_mine() {
    [ -n "$(find "$1" -prune \( -user "$me" -o -user 0 \) \( ! -perm -002 ${2:+-o $2} \) \
        \( ! -perm -020 ${private:+-o -group "$private"} ${2:+-o $2} \) 2> /dev/null)" ]
}
# Whether every folder above the path $1 is so; one like /tmp lets others make files, but not touch those of others.
is_safe_above() {
    above=$1
    while [ "$above" != / ] && [ "$above" != . ]; do
        above=$(dirname "$above")
        is_mine "$above/." '-perm -1000' || return 1
    done
}
# Whether nobody else could have put the program $1, a full path, there; every link on the way to it is followed.
is_trusted() {
    step=$1 left=20
    while [ $left -gt 0 ]; do
        is_safe_above "$step" || return 1
        [ -L "$step" ] || break
        next=$(readlink "$step") left=$((left - 1))
        case $next in /*) step=$next ;; *) step=$(dirname "$step")/$next ;; esac
    done
    is_mine "$step"
}
# The interpreter that the run in folder $1 says it was written with; nothing where it says none.
recorded() {
    head -c 4000000 "$1/run.json" 2> /dev/null | sed -n 's|^ "python": "\(/[^"\\]*\)",\{0,1\}$|\1|p' | head -n 1
}
# Go with the interpreter of the run in folder $1, or note that it may not be trusted.
try_run() {
    python=$(recorded "$1")
    case "$seen" in *"|$python|"*) return ;; esac
    seen="$seen|$python|"
    if [ -z "$python" ] || [ ! -x "$python" ]; then return; fi
    folder=$(cd "$1" && pwd -P) || return
    if is_mine "$folder/." && is_safe_above "$folder" && is_mine "$folder/run.json" && is_trusted "$python"; then
        has_vaemon "$python" && go "$python"
    else
        untrusted=${untrusted:-$python}
    fi
}

cd || exit 83
seen= untrusted=
if [ -n "$1" ]; then
    has_vaemon "$1" && go "$1"
    exit 85
fi
run=$2 runs=${3:-${VAEMON_RUNS:-runs}}
case $run in '~/'*) run=$HOME/${run#'~/'} ;; '' | */*) ;; *) run=$runs/$run ;; esac
case $runs in '~/'*) runs=$HOME/${runs#'~/'} ;; esac
if [ -n "$run" ] && [ -f "$run/run.json" ]; then try_run "$run"; fi
if command -v vaemon > /dev/null 2>&1; then exec vaemon agent; fi
for python in python3 python; do has_vaemon $python && go $python; done
count=0
for each in "$runs"/*/run.json; do
    count=$((count + 1))
    if [ -f "$each" ] && [ $count -le 200 ]; then try_run "${each%/run.json}"; fi
done
if [ -n "$untrusted" ]; then
    echo "vaemon-untrusted: $untrusted" >&2
    exit 84
fi
exit 83
