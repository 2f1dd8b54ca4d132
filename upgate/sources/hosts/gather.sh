# Collects the facts of one host. It writes sections between marks to stdout, one `field<TAB>value` per line. It runs in any
# POSIX sh, including busybox, changes nothing and reads no keys. `gap` is what could not be read. Variables in capitals are
# set before the script.
#
# It may run as root on a machine where untrusted users run processes. So it does not run a program because a process has its
# name, it accepts only components that root has started (`processes_of`), it reads only regular files, up to a limit, and
# no name or text from the machine can begin a new line.

export LC_ALL=C PATH="/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:$PATH:/opt/bin:/var/lib/rancher/rke2/bin"
cd /
TAB=$(printf '\t')
NEWLINE=$(printf '\n.')
NEWLINE=${NEWLINE%.}
for file in /var/lib/rancher/rke2/agent/etc/crictl.yaml /var/lib/rancher/k3s/agent/etc/crictl.yaml; do
  [ -e /etc/crictl.yaml ] || [ ! -e "$file" ] || export CRI_CONFIG_FILE="$file"
done
LIMIT=
timeout 1 true 2>/dev/null && LIMIT='timeout 10'

has() { command -v "$1" >/dev/null 2>&1; }
limited() { $LIMIT "$@"; }
say() {
  case "$2" in *"$NEWLINE"*) set -- "$1" "$(printf %s "$2" | tr '\n' ' ')" ;; esac
  printf '%s\t%s\n' "$1" "$2"
}
# The empty line ends a last line without a newline.
field() { sed "s|^|$1$TAB|"; echo; }
# The same for the lines of a log, except for the line with the exit code.
log_field() { sed "s|^|$1$TAB|; s|^$1$TAB$MARK rc$TAB|rc$TAB|"; echo; }
section() { say "$MARK" "begin $1"; "$1"; say "$MARK" "end $1"; }
me() { id -un 2>/dev/null || id -u; }
use_root="say sudo: true in the profile's hosts:"

# The folder $1 can be read: so can each of its parents that exists.
open_to_us() {
  dir=$1
  while [ ! -e "$dir" ]; do dir=${dir%/*}; [ -n "$dir" ] || dir=/; done
  [ -x "$dir" ] && { [ -r "$dir" ] || [ "$dir" != "$1" ]; }
}

# $1 exists and is a regular file or a link to one: a pipe or a device may never end.
plain() {
  [ -e "$1" ] || return
  [ -r "$1" ] || { say gap "$(me) may not read $1; $use_root"; return 1; }
  [ -f "$1" ] || { say gap "$1 is not a plain file"; return 1; }
}
content() { limited head -c 262144 "$1"; }

host() {
  say now "$(date +%s)"
  say zone "$(date +%z)"
}

services() {
  if said=$(limited systemctl show -p Version 2>&1); then
    for unit in $UNITS; do
      shown=$(limited systemctl show -p Id,LoadState,ActiveState,SubState,UnitFileState,Type,Result -- "$unit" 2>/dev/null)
      [ -n "$shown" ] || { say gap "systemctl does not show $unit"; continue; }
      say unit "$unit"
      echo "$shown" | field is
    done
  elif [ -n "$UNITS" ]; then
    has systemctl || said='systemctl is not installed'
    say gap "its services cannot be listed: $(echo "$said" | head -n 1)"
  fi
  [ -n "$DOCKER" ] && docker_works && for name in $UNITS; do
    limited docker inspect --type container --format '{{.State.Status}} {{.HostConfig.RestartPolicy.Name}}' "$name" 2>/dev/null |
      field "container$TAB$name"
  done
}

docker_works() { said=$(limited docker ps -q 2>&1 >/dev/null) || { say gap "docker does not answer: $(echo "$said" | head -n 1)"; false; }; }

reboot() {
  say running "$(uname -r)"
  for flag in /run/reboot-required /var/run/reboot-required; do
    [ -e "$flag" ] || continue
    say flagged "$(stat -c %Y "$flag" 2>/dev/null || date -r "$flag" +%s)"
    [ -f "$flag.pkgs" ] && content "$flag.pkgs" | sort -u | head -n 20 | field package
    break
  done
  has needs-restarting && limited needs-restarting -r 2>/dev/null | head -n 40 | field advice
  for image in /boot/vmlinuz-* /lib/modules/*/vmlinuz; do
    [ -e "$image" ] || continue
    version=${image#/boot/vmlinuz-}
    version=${version#/lib/modules/}
    # The time of the installation (ctime): packages keep the build time of a file as its mtime.
    say kernel "${version%/vmlinuz} $(stat -c %Z "$image" 2>/dev/null)"
  done
}

# The versions of what runs, not of what is on the disk.
versions() {
  say version "kernel $(uname -r)"
  for name in $COMPONENTS; do
    case "$name" in
      docker) version_of "$name" dockerd ;;
      kubelet | kube-* | etcd | containerd | runc | crio | k3s | rke2) version_of "$name" "$name" ;;
    esac
    if has dpkg-query; then
      limited dpkg-query -W -f '${db:Status-Abbrev}\t${Version}\n' "$name" 2>/dev/null | sed -n 's/^ii *\t//p'
    elif has rpm; then
      limited rpm -q --qf '%{VERSION}-%{RELEASE}\n' "$name" 2>/dev/null | grep -v 'not installed'
    elif has apk; then
      limited apk info -ve "$name" 2>/dev/null | sed "s/^$name-//"
    fi | head -n 1 | field "package$TAB$name"
  done
}

# From the host's own process, else from the program that would be started; for the cluster's containers from the image.
version_of() {
  found=$(processes_of "$2")
  case "$NEWLINE$found" in
    *"$NEWLINE"host*) say_version "$1" "$(version_of_process "$(echo "$found" | sed -n 's/^host //p' | head -n 1)" "$2")" ;;
    *"$NEWLINE"container*) containers_of "$2" | while read -r _ image; do say "image$TAB$1" "$image"; done ;;
    *)
      program=$(command -v "$2") || return
      say_version "$1" "$(only_roots "$program" && version_by "$program")"
      ;;
  esac
}

say_version() { if [ -n "$2" ]; then say "program$TAB$1" "$2"; else say gap "its $1 does not print its version"; fi; }

# Run by the name in the command line if that is still the same file: some files are several programs. A deleted file can
# still be run through /proc.
version_of_process() {
  [ -r "/proc/$1/exe" ] || { program=$(command -v "$2") && only_roots "$program" && version_by "$program"; return; }
  called=$(head -c 4096 "/proc/$1/cmdline" | tr '\000' '\n' | head -n 1)
  file=$(readlink "/proc/$1/exe")
  for program in "$called" "$file"; do
    case "$program" in /*) [ "$program" -ef "/proc/$1/exe" ] && only_roots "$program" && version_by "$program" && return ;; esac
  done
  case "$file" in
    /*' (deleted)') only_root "/proc/$1/exe" && only_roots "${file%/*}/" && version_by "/proc/$1/exe" ;;
  esac
} 2>/dev/null

# The output of `--version`, run as the user nobody without our environment; through an open file if nobody cannot read it,
# and by its name, where a shell can do that: some files are several programs.
version_by() {
  printed "$1" --version && return
  if has bash; then printed bash -c 'exec -a "$0" /proc/self/fd/9 --version' "${1##*/}"; else printed /proc/self/fd/9 --version; fi 9<"$1"
}

printed() {
  line=$(as_nobody env -i PATH="$PATH" HOME=/ $LIMIT "$@" 2>/dev/null | head -c 4096 | head -n 1)
  [ -n "$line" ] && echo "$line"
}

as_nobody() {
  if [ "$(id -u)" != 0 ]; then "$@"
  elif setpriv --reuid=65534 --regid=65534 --clear-groups --no-new-privs true 2>/dev/null; then
    setpriv --reuid=65534 --regid=65534 --clear-groups --no-new-privs "$@"
  elif chroot --userspec=65534:65534 --groups= / true 2>/dev/null; then
    chroot --userspec=65534:65534 --groups= / "$@"
  elif su -s /bin/sh -c true nobody 2>/dev/null; then
    quoted=$(printf '%s\n' "$@" | sed "s/'/'\\\\''/g; s/^/'/; s/\$/'/" | tr '\n' ' ')
    su -s /bin/sh -c "exec $quoted" nobody
  else
    return 125
  fi
}

# Only root can have written and named the file $1: only root can write it and each of its parents, links resolved.
only_roots() {
  real=$(readlink -f "$1") && [ -n "$real" ] || return
  for path in "$1" "$real"; do
    while [ -n "$path" ]; do
      only_root "$path" || return
      path=${path%/*}
    done
  done
  only_root /
}

only_root() {
  owner=$(stat -L -c '%u %g %a' "$1" 2>/dev/null) || return
  case "$owner" in
    '0 '*[2367]) false ;;
    '0 0 '*) true ;;
    '0 '*[2367]?) false ;;
    '0 '*) true ;;
    *) false ;;
  esac
}

# The processes of a component, as `host PID` or `container PID`. Any user can name a process kubelet, so only these count:
# - what systemd started as the unit of that name (only root can put a process there);
# - a process of root outside of all containers;
# - the processes of a container that only the cluster's owner can have started (`containers_of`).
# `foreign`: there are others, in containers with the host's network such as static pods have.
processes_of() {
  short=$(printf '%.15s' "$1")
  network=$(readlink /proc/self/ns/net)
  outside=$(mounts_of_host)
  others=
  for process in /proc/[0-9]*; do
    read -r name <"$process/comm" || continue
    [ "$name" = "$short" ] || [ "$name" = hyperkube ] || continue
    pid=${process#/proc/}
    if in_unit "$pid" "$1" || { roots_process "$pid" && out_of_containers "$pid"; }; then
      echo "host $pid"
    elif theirs=$(readlink "$process/ns/net") || theirs=$network; [ "$theirs" = "$network" ]; then
      others="$others $pid"
    fi
  done
  [ -n "$others" ] && in_containers "$1"
} 2>/dev/null

in_containers() {
  trusted=$(containers_of "$1" | while read -r pid _; do printf '%s %s ' "$pid" "$(readlink "/proc/$pid/ns/mnt")"; done)
  for pid in $others; do
    mount=$(readlink "/proc/$pid/ns/mnt") || mount=unknown
    case " $trusted" in
      *" $pid "* | *" $mount "*) echo "container $pid" ;;
      *) roots_process "$pid" && [ "$mount" != "$outside" ] && echo foreign ;;
    esac
  done
}

roots_process() { grep -q "^Uid:${TAB}0${TAB}0${TAB}0${TAB}0\$" "/proc/$1/status"; }

# Users and containers have scopes and cgroups below systemd's services, never a service itself.
in_unit() { grep -q -E "^(0:|[0-9]+:name=systemd):/([^/]+[.]slice/)*$2[.]service\$" "/proc/$1/cgroup"; }

# The mount namespace of process 1, or of our first ancestor that we can read.
mounts_of_host() {
  up=$$
  while [ "${up:-0}" -gt 0 ]; do
    mounts=$(readlink "/proc/$up/ns/mnt") && farthest=$mounts
    up=$(sed -n "s/^PPid:$TAB//p" "/proc/$up/status")
  done
  echo "$farthest"
}

# By its mount namespace, or by its cgroup if that cannot be read.
out_of_containers() {
  if mounts=$(readlink "/proc/$1/ns/mnt"); then
    [ "$mounts" = "$outside" ]
  else
    in_unit "$1" '[^/]+' || grep -q -E '^(0:|[0-9]+:name=systemd):/(init[.]scope)?$' "/proc/$1/cgroup"
  fi
}

# `PID image` of containers that no tenant can have started: Docker's with exactly that name, as RKE has them, and the CRI's
# in the namespace kube-system.
containers_of() {
  [ -n "$DOCKER" ] && has docker &&
    limited docker inspect --type container --format '{{.State.Pid}} {{.Config.Image}}' "$1"
  for id in $(of_cri ps -q --name "^$1\$"); do
    limited crictl inspect --output go-template --template '{{.info.pid}} {{.status.image.image}}' "$id"
    echo
  done
} 2>/dev/null

# The containers that crictl lists in the namespace kube-system: in other namespaces tenants can name a container etcd.
of_cri() {
  [ "$(id -u)" = 0 ] && has crictl || return
  limited crictl "$@" --label io.kubernetes.pod.namespace=kube-system 2>/dev/null
}

arguments() {
  [ -z "$FLAGGED" ] || [ -r /proc/1/comm ] || say gap "the processes of others are hidden from $(me); $use_root"
  for name in $FLAGGED; do
    say asked "$name"
    processes_of "$name" | sort -u | head -n 100 | while read -r where pid; do
      [ "$where" != foreign ] || { say foreign "$name"; continue; }
      say "process$TAB$name$TAB$pid" "$(limited head -c 60000 "/proc/$pid/cmdline" 2>/dev/null | tr '\000\n\t' '\037  ')"
    done
    has systemctl && limited systemctl show -p ExecStart -- "$name" 2>/dev/null | grep . | field "exec$TAB$name"
    [ -n "$DOCKER" ] && has docker && limited docker inspect --type container --format '{{json .Args}}' "$name" 2>/dev/null |
      field "container$TAB$name"
    for folder in $MANIFESTS; do
      open_to_us "$folder" || { say gap "$(me) cannot read the folder $folder; $use_root"; continue; }
      for file in "$folder"/*.yaml "$folder"/*.yml "$folder"/*.json; do
        plain "$file" || continue
        content "$file" | grep -q -e "$name" && say manifest "$file" && content "$file" | field line
      done
    done
  done
}

# grep reads /proc/net once; a shell that reads it line by line makes the kernel generate it again for each line.
ports() {
  if sockets=$(limited ss -Hltnup 2>/dev/null) && [ -n "$sockets" ]; then
    echo "$sockets" | head -n 20000 | field ss
    [ "$(echo "$sockets" | wc -l)" -le 20000 ] || say gap 'it has more than 20000 sockets'
    return
  fi
  for table in tcp tcp6 udp udp6; do
    grep ' 0[A7] ' "/proc/net/$table" 2>/dev/null | while read -r _ local _ state _; do say "$table" "$local $state"; done
  done
}

disk() {
  for folder in / /boot /var /var/log /var/lib /var/lib/kubelet $FOLDERS; do [ -d "$folder" ] && set -- "$@" "$folder"; done
  limited df -P -T -k "$@" 2>/dev/null | sed 1d | field space
  limited df -P -i "$@" 2>/dev/null | sed 1d | field inodes
}

# `limit<TAB>name<TAB>used<TAB>most`, of each limit of the kernel whose use can be told. Those of a user are root's.
limit() { [ -n "$2" ] && [ -n "$3" ] && say "limit$TAB$1$TAB$2" "$3"; }
number_in() { head -c 40 "$1" 2>/dev/null; }
limits() {
  read -r used _ most </proc/sys/fs/file-nr
  limit 'file handles' "$used" "$most"
  of=/proc/sys/net/netfilter/nf_conntrack
  limit 'tracked connections' "$(number_in ${of}_count)" "$(number_in ${of}_max)"
  read -r _ _ _ tasks _ </proc/loadavg
  limit 'process ids' "${tasks#*/}" "$(number_in /proc/sys/kernel/pid_max)"
  limit 'threads' "${tasks#*/}" "$(number_in /proc/sys/kernel/threads-max)"
  [ "$(id -u)" = 0 ] || return 0
  watching=$(limited find /proc/[0-9]*/fd -user root -lname anon_inode:inotify 2>/dev/null | head -n 5000)
  [ -z "$watching" ] || limit 'inotify instances of root' "$(echo "$watching" | wc -l)" "$(number_in /proc/sys/fs/inotify/max_user_instances)"
  watches=$(echo "$watching" | sed 's|/fd/|/fdinfo/|' | while read -r info; do limited cat "$info" 2>/dev/null; done | grep -c '^inotify')
  limit 'inotify watches of root' "$watches" "$(number_in /proc/sys/fs/inotify/max_user_watches)"
  compiled=$(limited grep bpf_jit /proc/vmallocinfo 2>/dev/null | { sum=0; while read -r _ size _; do sum=$((sum + size)); done; echo $sum; })
  limit 'BPF JIT memory' "$compiled" "$(number_in /proc/sys/net/core/bpf_jit_limit)"
}

clock() {
  has chronyc && limited chronyc -n tracking 2>/dev/null | field chronyc
  has timedatectl && { limited timedatectl show -p NTPSynchronized || limited timedatectl status; } 2>/dev/null | field timedatectl
  has adjtimex && limited adjtimex 2>/dev/null | field adjtimex
}

# The matching lines, and `rc<TAB>n`, the exit code of the command that wrote them.
matching() {
  { "$@" 2>&1; say "$MARK rc" $?; } | tr '\000' ' ' | grep -E -e "$FATAL" -e "^$MARK rc" | tail -n 21 | cut -c 1-600
}

# The user can read the journal of the whole system, not only the user's own.
journal_is_open() {
  [ "$(id -u)" = 0 ] && return
  for file in /var/log/journal/*/system.journal /run/log/journal/*/system.journal; do [ -r "$file" ] && return; done
  false
}

journal() {
  if has journalctl && ! journal_is_open; then
    say gap "$(me) may not read the journal; add it to the group systemd-journal, or $use_root"
  elif has journalctl; then
    for unit in $JOURNALS; do
      [ -n "$(limited journalctl -q --no-pager -n 1 -u "$unit" 2>/dev/null)" ] || continue
      say source "journal of $unit"
      matching limited journalctl -q --no-pager -o short-unix --since "@$SINCE" -u "$unit" | log_field unix
    done
    first=$(limited journalctl -q --no-pager -o short-unix 2>/dev/null | head -n 1)
    say first "${first%% *}"
    say born "$(stat -c %Y /etc/machine-id 2>/dev/null)"
  fi
  [ -n "$DOCKER" ] && docker_works && for name in $DOCKER; do
    limited docker inspect --type container "$name" >/dev/null 2>&1 || continue
    say source "docker logs $name"
    matching limited docker logs --since "$SINCE" --timestamps "$name" | log_field iso
  done
  for name in $CRICTL; do
    for id in $(of_cri ps -a -q --name "^$name\$"); do
      say source "crictl logs $name"
      matching limited crictl logs --since "$SINCE_ISO" --timestamps "$id" | log_field iso
    done
  done
  for file in $LOGS; do
    open_to_us "${file%/*}" || { say gap "$(me) cannot read the folder ${file%/*}; $use_root"; continue; }
    plain "$file" || continue
    say source "$file"
    matching stamped "$file" | log_field stamped
  done
}

# Each line of a file after the latest timestamp before it: the lines of a panic's trace have no timestamps.
stamped() {
  limited tail -c 50000000 "$1" | awk '{
    if (match($0, /^[IWEF][0-9][0-9][0-9][0-9] [0-9][0-9]:[0-9][0-9]:[0-9][0-9]/)) stamp = substr($0, 2, RLENGTH - 1)
    else if (match($0, /[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]T[0-9][0-9]:[0-9][0-9]:[0-9][0-9][^" ]*/)) stamp = substr($0, RSTART, RLENGTH)
    print stamp "|" $0
  }'
}

certificates() {
  for pattern in $CERTIFICATES $KUBECONFIGS; do
    open_to_us "${pattern%/*}" || say gap "$(me) cannot read the folder ${pattern%/*}; $use_root"
  done
  for file in $CERTIFICATES; do
    case "$file" in *-key.pem | *.key) continue ;; esac
    plain "$file" || continue
    content "$file" | grep -q -e '-----BEGIN ' || { say gap "$file has no certificate"; continue; }
    say file "$file"
    content "$file" | pem | field pem
  done
  for file in $KUBECONFIGS; do
    plain "$file" || continue
    say kubeconfig "$file"
    content "$file" | sed -n 's/^ *client-certificate-data: *//p' | field data
  done
}

# Only certificates: an incomplete one ends where other text begins, which may be a key.
pem() {
  awk '/^-----/ { on = /^-----BEGIN CERTIFICATE-----/; if (/^-----END CERTIFICATE-----/) print }
    on && (/^-----/ || /^[A-Za-z0-9+\/=]+[ \t\r]*$/)'
}

# Called at the end, so that an incomplete script does nothing.
all() { for name in host services reboot versions arguments ports disk limits clock journal certificates settings; do section "$name"; done; say "$MARK" whole; }
all </dev/null
