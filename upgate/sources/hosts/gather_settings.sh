# The section `settings` of gather.sh: what an upgrade of a host may change without a word. `set<TAB>component<TAB>name<TAB>value`.
# It loads no kernel module, and runs only tools of the system.

settings() {
  rules_of 4
  rules_of 6
  chains
  for file in net/ipv4/ip_forward net/ipv6/conf/all/forwarding net/ipv4/conf/all/rp_filter net/ipv4/ip_local_port_range \
    net/bridge/bridge-nf-call-iptables net/bridge/bridge-nf-call-ip6tables net/core/somaxconn net/ipv4/ip_unprivileged_port_start \
    fs/inotify/max_user_watches fs/inotify/max_user_instances kernel/pid_max kernel/panic kernel/panic_on_oops \
    kernel/keys/root_maxkeys vm/max_map_count vm/overcommit_memory vm/panic_on_oom vm/swappiness; do
    [ -r "/proc/sys/$file" ] && set_to Sysctl "$(echo "$file" | tr / .)" "$(limited head -c 200 "/proc/sys/$file" | tr -s '\t ' ' ')"
  done
  modules
  [ -r /etc/resolv.conf ] && for word in nameserver search options; do
    set_to Resolver "$word" "$(content /etc/resolv.conf | head -n 50 | sed -n "s/^$word[[:space:]]*//p" | cut -c 1-200 | tr '\n' ',')"
  done
  has systemctl && for unit in kubelet containerd docker crio k3s k3s-agent rke2-server rke2-agent; do
    limited systemctl show -p LoadState,LimitNOFILE,LimitNPROC,LimitMEMLOCK,TasksMax -- "$unit" 2>/dev/null | cut -c 1-200 |
      field "unit$TAB$unit"
  done
  packages
  for name in kubelet kube-proxy kube-apiserver kube-controller-manager kube-scheduler etcd containerd dockerd crio k3s rke2; do
    processes_of "$name" | sort -u | head -n 20 | while read -r where pid; do
      case "$where" in
        host) ;;
        container) [ -n "$DOCKER" ] || continue ;;
        *) continue ;;
      esac
      say "process$TAB$name$TAB$pid" "$(limited head -c 30000 "/proc/$pid/cmdline" 2>/dev/null | tr '\000\n\t' '\037  ')"
    done
  done
  for tool in curl wget; do
    has "$tool" && from_proxy "$tool" | head -c 60000 | tr -d '\n\t' | field proxy && break
  done
}

set_to() { say "set$TAB$1$TAB$2" "$3"; }

# Whether there are routing rules beside those that every kernel has: how many there are changes with the pods.
rules_of() {
  has ip || return
  found=$(limited ip "-$1" rule 2>/dev/null | head -n 5000) || return
  [ -n "$found" ] || { [ "$1" = 6 ] || set_to IPRule "IPv$1" none; return; }
  if echo "$found" | grep -v -q -E 'from all lookup (local|main|default) *$'; then set_to IPRule "IPv$1" 'policy rules'
  else set_to IPRule "IPv$1" 'only the defaults'; fi
}

# Those that a node needs before anything asks for them, and those that are to be loaded at boot. Others come and go with use.
modules() {
  for file in /etc/modules /etc/modules-load.d/*.conf /usr/lib/modules-load.d/*.conf; do [ -f "$file" ] && content "$file"; done |
    sed -n 's/^[[:space:]]*\([A-Za-z0-9_-][A-Za-z0-9_-]*\)[[:space:]]*$/\1/p' | tr - _ | sort -u | head -n 100 |
    { echo 'br_netfilter overlay nf_conntrack' | tr ' ' '\n'; cat; } | while read -r module; do
      { [ -d "/sys/module/$module" ] || grep -q "/$module[.]ko" "/lib/modules/$(uname -r)/modules.builtin" 2>/dev/null; } &&
        set_to Module "$module" loaded
    done
}

# The backends of iptables that hold chains of Kubernetes. The old one is asked only where its tables are loaded already.
chains() {
  [ "$(id -u)" = 0 ] || return
  with=
  has iptables-nft-save && limited iptables-nft-save 2>/dev/null | grep -q '^:KUBE-' && with=nft
  [ -r /proc/net/ip_tables_names ] && grep -q . /proc/net/ip_tables_names && has iptables-legacy-save &&
    limited iptables-legacy-save 2>/dev/null | grep -q '^:KUBE-' && with="${with:+$with,}legacy"
  [ -z "$with" ] || set_to Iptables 'KUBE chains' "$with"
}

# Those on which a node depends, by name: their versions are another check's.
packages() {
  set -- kubelet kubeadm kubectl cri-tools containerd containerd.io runc docker-ce docker.io cri-o iptables nftables conntrack \
    conntrack-tools socat ebtables ethtool ipset ipvsadm nfs-common nfs-utils open-iscsi iscsi-initiator-utils ceph-common \
    cifs-utils multipath-tools device-mapper-multipath chrony auditd audit apparmor
  if has dpkg-query; then
    limited dpkg-query -W -f '${db:Status-Abbrev} ${Package}\n' "$@" 2>/dev/null | sed -n 's/^ii *//p'
  elif has rpm; then
    limited rpm -q --qf '%{NAME}\n' "$@" 2>/dev/null | grep -v 'not installed'
  fi | head -n 100 | while read -r name; do set_to Package "$name" installed; done
}

# kube-proxy's own answer, from this host alone; without a proxy of the environment.
from_proxy() {
  url=http://127.0.0.1:10249/configz
  case "$1" in
    curl) limited env -i PATH="$PATH" curl -s -f --noproxy '*' --max-time 3 "$url" ;;
    wget) limited env -i PATH="$PATH" wget -q -T 3 -O - "$url" ;;
  esac 2>/dev/null
}
