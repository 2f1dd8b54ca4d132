# Asks the questions in $ASK, a line each: key, tries, and a function with its arguments. Answers, a line each:
# key=hundredths of a second, or key!reason; `end` stands below the last. Any POSIX shell; it writes to no file system.
LIMIT=2
set -f
has() { command -v "$1" >/dev/null 2>&1; }
tick() { read -r up _ </proc/uptime; now=${up%.*}${up#*.}; }
limited() { if has timeout; then timeout "$LIMIT" "$@"; else "$@"; fi; }
case "$(nc -h 2>&1)" in *"-e PROG"*) dials=e ;; *z*) dials=z ;; *) dials= ;; esac
has nc || { has bash && dials=bash || dials=python; }

connect() {
  case $dials in
    e) limited nc -w "$LIMIT" "$1" "$2" -e true </dev/null ;;
    z) limited nc -w "$LIMIT" -z "$1" "$2" </dev/null ;;
    bash) limited bash -c ": </dev/tcp/$1/$2" ;;
    *) limited python3 -c "import socket; socket.create_connection(('$1', $2), $LIMIT)" ;;
  esac
}
talk() { limited nc -w "$LIMIT" "$1" "$2" 2>&1 | head -c 60; }
domain() { sed -n 's/^search .* svc\.\([^ ]*\).*/\1/p' /etc/resolv.conf | head -n 1; }

dns() { # NAME SERVER, which is - for that of the pod; @ in the name is the domain of the cluster
  name=$1 server=$2
  case $name in *@) name=${name%@}$(domain). ;; esac
  [ "$server" != - ] || server=
  if has nslookup; then said=$(limited nslookup "$name" $server 2>&1)
  elif [ -n "$server" ]; then echo untold; return 1
  else said=$(limited getent hosts "$name" 2>&1) && said="Name: $said"
  fi
  case $said in *Name:*) return 0 ;; esac
  echo "$said"
  return 1
}
tcp() { connect "$1" "$2"; }
api() { # An API server answers plain HTTP with an error: anything is an answer.
  host=$KUBERNETES_SERVICE_HOST port=$KUBERNETES_SERVICE_PORT
  connect "$host" "$port" || return 1
  has nc || return 0
  [ -n "$(printf 'GET / HTTP/1.0\r\n\r\n' | talk "$host" "$port")" ] || { echo silent; return 1; }
}
http() { # HOST PORT PATH, with the headers that the metadata services of the clouds ask for
  has nc || { echo untold; return 1; }
  said=$(printf 'GET %s HTTP/1.1\r\nHost: %s\r\nMetadata: true\r\nMetadata-Flavor: Google\r\nConnection: close\r\n\r\n' "$3" "$1" | talk "$1" "$2")
  case $said in
    HTTP/1.?\ [23]*|HTTP/1.?\ 401*) return 0 ;;
    HTTP/1.?\ *) said=${said#* }; echo "status${said%% *}" ;;
    "") echo timeout ;;
    *) echo "$said" ;;
  esac
  return 1
}

reason() {
  case $1 in
    *efused*) echo refused ;;
    *nreachable*|*"o route"*) echo unreachable ;;
    *"can't find"*|*"an't resolve"*|*NXDOMAIN*) echo unknown ;;
    status*|silent|untold) echo "${1%%[!a-z0-9]*}" ;;
    *) echo timeout ;;
  esac
}
ask() { # KEY TRIES QUESTION…
  key=$1 tries=$2
  shift 2
  while :; do
    tick; began=$now
    if said=$("$@" 2>&1); then tick; echo "$key=$((now - began))"; return; fi
    tries=$((tries - 1))
    [ "$tries" -gt 0 ] || break
    sleep 1
  done
  echo "$key!$(reason "$said")"
}
all() {
  echo "$ASK" | {
    number=0
    while read -r question; do
      [ -n "$question" ] || continue
      ask $question &
      number=$((number + 1))
      [ $((number % 24)) -ne 0 ] || wait
    done
    wait
  }
  echo end
}
echo "$MARK"
all 2>/dev/null | tee /dev/termination-log
