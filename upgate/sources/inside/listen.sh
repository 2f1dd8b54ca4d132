# Accepts connections on port 8080, says nothing, and serves nothing.
has() { command -v "$1" >/dev/null 2>&1; }
trap 'kill $!; exit 0' TERM INT
case "$(nc -h 2>&1)" in
  *"-e PROG"*) nc -ll -p 8080 -e true & ;;
  *z*) while :; do nc -lk 8080 </dev/null >/dev/null || nc -l 8080 </dev/null >/dev/null; done & ;;
  *)
    python3 -c "
import socket
family = socket.AF_INET6 if socket.has_dualstack_ipv6() else socket.AF_INET
server = socket.create_server(('', 8080), family=family, backlog=200, dualstack_ipv6=family == socket.AF_INET6)
while True: server.accept()[0].close()" &
    ;;
esac
wait
