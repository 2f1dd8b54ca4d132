# One pass over one host: facts go to stdout in sections between marks, one `field<TAB>value` a line. Runs in any POSIX sh,
# also busybox's; changes nothing; reads no key. `gap` says what could not be looked at. What stands in capitals is set before.

export LC_ALL=C PATH="$PATH:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/opt/bin:/var/lib/rancher/rke2/bin"
TAB=$(printf '\t')
LIMIT=
timeout 1 true 2>/dev/null && LIMIT='timeout 10'

has() { command -v "$1" >/dev/null 2>&1; }
limited() { $LIMIT "$@"; }
say() { printf '%s\t%s\n' "$1" "$2"; }
# The empty line ends a last one that has no end.
field() { sed "s|^|$1$TAB|"; echo; }
section() { say "$MARK" "begin $1"; "$1"; say "$MARK" "end $1"; }
me() { id -un 2>/dev/null || id -u; }
use_root="say sudo: true in the profile's hosts:"

# Nothing hides what is below the folder $1: each folder on the way that exists can be looked into.
open_to_us() {
  dir=$1
  while [ ! -e "$dir" ]; do dir=${dir%/*}; [ -n "$dir" ] || dir=/; done
  [ -x "$dir" ] && { [ -r "$dir" ] || [ "$dir" != "$1" ]; }
}

host() {
  say now "$(date +%s)"
  say zone "$(date +%z)"
}

services() {
  if said=$(limited systemctl show -p Version 2>&1); then
    for unit in $UNITS; do
      shown=$(limited systemctl show -p Id,LoadState,ActiveState,SubState,UnitFileState,Type,Result -- "$unit" 2>/dev/null)
      [ -n "$shown" ] || { say gap "systemctl does not answer about $unit"; continue; }
      say unit "$unit"
      echo "$shown" | field is
    done
  elif [ -n "$UNITS" ]; then
    has systemctl || said='there is no systemctl'
    say gap "its services cannot be asked for: $(echo "$said" | head -n 1)"
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
    [ -r "$flag.pkgs" ] && sort -u "$flag.pkgs" | head -n 20 | field package
    break
  done
  has needs-restarting && limited needs-restarting -r 2>/dev/null | head -n 40 | field advice
  for image in /boot/vmlinuz-* /lib/modules/*/vmlinuz; do
    [ -e "$image" ] || continue
    version=${image#/boot/vmlinuz-}
    version=${version#/lib/modules/}
    # Packages keep the time at which a file was built: not that, but when it came to be here.
    say kernel "${version%/vmlinuz} $(stat -c %Z "$image" 2>/dev/null)"
  done
}

# What runs counts, not what lies on the disk by now.
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

version_of() {
  program=$(processes_of "$2" | head -n 1 | while read -r pid; do program_of "$pid"; done)
  program=${program:-$(command -v "$2")}
  [ -n "$program" ] || return
  version=$(limited "$program" --version 2>/dev/null | head -n 1)
  if [ -n "$version" ]; then say "program$TAB$1" "$version"; else say gap "its $1 does not tell its version"; fi
}

# By the name that it was called by, as long as that is still the same file: some are many programs in one.
program_of() {
  called=$(tr '\000' '\n' <"/proc/$1/cmdline" | head -n 1)
  case "$called" in /*) [ "$called" -ef "/proc/$1/exe" ] && echo "$called" && return ;; esac
  [ -x "/proc/$1/exe" ] && echo "/proc/$1/exe"
} 2>/dev/null

# Those of this host: a control plane that runs in pods has a network of its own.
processes_of() {
  mine=$(readlink /proc/self/ns/net 2>/dev/null)
  short=$(printf '%.15s' "$1")
  for process in /proc/[0-9]*; do
    read -r name <"$process/comm" || continue
    [ "$name" = "$short" ] || [ "$name" = hyperkube ] || continue
    theirs=$(readlink "$process/ns/net") || theirs=$mine
    [ "$theirs" = "$mine" ] && echo "${process#/proc/}"
  done 2>/dev/null
}

arguments() {
  [ -z "$FLAGGED" ] || [ -r /proc/1/comm ] || say gap "the processes of others are hidden from $(me); $use_root"
  for name in $FLAGGED; do
    say asked "$name"
    processes_of "$name" | while read -r pid; do
      say "process$TAB$name$TAB$pid" "$(tr '\000\n\t' '\037  ' <"/proc/$pid/cmdline" 2>/dev/null)"
    done
    has systemctl && limited systemctl show -p ExecStart -- "$name" 2>/dev/null | grep . | field "exec$TAB$name"
    [ -n "$DOCKER" ] && has docker && limited docker inspect --type container --format '{{json .Args}}' "$name" 2>/dev/null |
      field "container$TAB$name"
    for folder in $MANIFESTS; do
      open_to_us "$folder" || { say gap "$(me) may not look into $folder; $use_root"; continue; }
      for file in "$folder"/*.yaml "$folder"/*.yml "$folder"/*.json; do
        [ -e "$file" ] || continue
        [ -r "$file" ] || { say gap "$(me) may not read $file; $use_root"; continue; }
        grep -q -e "$name" "$file" && say manifest "$file" && field line <"$file"
      done
    done
  done
}

# A shell that reads /proc/net line by line makes the kernel begin anew for each: grep does not.
ports() {
  if sockets=$(limited ss -Hltnup 2>/dev/null) && [ -n "$sockets" ]; then
    echo "$sockets" | field ss
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

clock() {
  has chronyc && limited chronyc -n tracking 2>/dev/null | field chronyc
  has timedatectl && { limited timedatectl show -p NTPSynchronized || limited timedatectl status; } 2>/dev/null | field timedatectl
  has adjtimex && limited adjtimex 2>/dev/null | field adjtimex
}

# Lines that match, and `rc<TAB>n` of the command that told them.
matching() {
  { "$@" 2>&1; say "$MARK rc" $?; } | grep -E -e "$FATAL" -e "^$MARK rc" | tail -n 21 | cut -c 1-600
}

# The whole system's journal may be read, not only one's own.
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
      matching limited journalctl -q --no-pager -o short-unix --since "@$SINCE" -u "$unit" | field unix
    done
    first=$(limited journalctl -q --no-pager -o short-unix 2>/dev/null | head -n 1)
    say first "${first%% *}"
    say born "$(stat -c %Y /etc/machine-id 2>/dev/null)"
  fi
  [ -n "$DOCKER" ] && docker_works && for name in $DOCKER; do
    limited docker inspect --type container "$name" >/dev/null 2>&1 || continue
    say source "docker logs $name"
    matching limited docker logs --since "$SINCE" --timestamps "$name" | field iso
  done
  [ -n "$CRICTL" ] && has crictl && [ "$(id -u)" = 0 ] && for name in $CRICTL; do
    for id in $(limited crictl ps -a -q --name "^$name\$" 2>/dev/null); do
      say source "crictl logs $name"
      matching limited crictl logs --since "$SINCE_ISO" --timestamps "$id" | field iso
    done
  done
  for file in $LOGS; do
    open_to_us "${file%/*}" || { say gap "$(me) may not look into ${file%/*}; $use_root"; continue; }
    [ -e "$file" ] || continue
    [ -r "$file" ] || { say gap "$(me) may not read $file; $use_root"; continue; }
    say source "$file"
    matching stamped "$file" | field stamped
  done
}

# Each line of a file behind the latest time that was told: those of a panic's trace have none of their own.
stamped() {
  tail -c 50000000 "$1" | awk '{
    if (match($0, /^[IWEF][0-9][0-9][0-9][0-9] [0-9][0-9]:[0-9][0-9]:[0-9][0-9]/)) stamp = substr($0, 2, RLENGTH - 1)
    else if (match($0, /[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]T[0-9][0-9]:[0-9][0-9]:[0-9][0-9][^" ]*/)) stamp = substr($0, RSTART, RLENGTH)
    print stamp "|" $0
  }'
}

certificates() {
  for pattern in $CERTIFICATES $KUBECONFIGS; do
    open_to_us "${pattern%/*}" || say gap "$(me) may not look into ${pattern%/*}; $use_root"
  done
  for file in $CERTIFICATES; do
    case "$file" in *-key.pem | *.key) continue ;; esac
    readable "$file" || continue
    grep -q -e '-----BEGIN ' "$file" || { say gap "$file holds no certificate"; continue; }
    say file "$file"
    sed -n '/^-----BEGIN CERTIFICATE-----/,/^-----END CERTIFICATE-----/p' "$file" | field pem
  done
  for file in $KUBECONFIGS; do
    readable "$file" && sed -n 's/^ *client-certificate-data: *//p' "$file" | field "data$TAB$file"
  done
}

readable() {
  [ -e "$1" ] || return
  [ -r "$1" ] || { say gap "$(me) may not read $1; $use_root"; false; }
}

# Called last and as a whole, so that a script that came in part does nothing.
all() { for name in host services reboot versions arguments ports disk clock journal certificates; do section "$name"; done; say "$MARK" whole; }
all </dev/null
