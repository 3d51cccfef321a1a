#!/bin/sh
# The sandbox host's service manager: keeps `zot serve config.json` running as systemd's Restart=always would.
#
#   sh DIR/zotctl.sh start | stop | status
#
# DIR holds zot, config/config.json, service.log and the pid files.
# status prints zot's process id, or its last log lines and exits 3.
set -u
# Whoever calls, as of a service manager.
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
cd "${0%/*}" || exit 1

running() { [ -f "$1" ] && kill -0 "$(cat "$1")" 2>/dev/null; }

keep_running() {
  trap 'stopping=yes; kill "$child" 2>/dev/null' TERM
  stopping='' child='' pause=0.1
  while [ -z "$stopping" ]; do
    ./zot serve config/config.json >>service.log 2>&1 &
    began=$(date +%s)
    echo "$!" >zot.pid
    attend "$!"
    rm -f zot.pid
    # Back off from a crash loop, and forget about it after ten good seconds.
    [ $(($(date +%s) - began)) -lt 10 ] || pause=0.1
    sleep "$pause" &
    [ -n "$stopping" ] || attend "$!"
    case $pause in 0.1) pause=0.4 ;; 0.4) pause=1 ;; *) pause=5 ;; esac
  done
  kill "$!" 2>/dev/null
  rm -f supervisor.pid
}

# Waits for a child to end; a signal only cuts the first wait short.
attend() {
  child=$1
  [ -z "$stopping" ] || kill "$child"
  while kill -0 "$child" 2>/dev/null; do wait "$child"; done
}

case ${1:-} in
start)
  running supervisor.pid && exit 0
  rm -f zot.pid
  nohup sh ./zotctl.sh run </dev/null >/dev/null 2>&1 &
  echo $! >supervisor.pid
  for _ in 1 2 3 4 5 6 7 8 9 10; do
    [ -f zot.pid ] && exit 0
    sleep 0.02
  done
  ;;
run) keep_running ;;
stop)
  running supervisor.pid || exit 0
  kill "$(cat supervisor.pid)"
  count=0
  while running supervisor.pid; do
    count=$((count + 1))
    [ "$count" -lt 500 ] || kill -9 "$(cat zot.pid)" 2>/dev/null
    sleep 0.02
  done
  ;;
status)
  if running zot.pid; then
    cat zot.pid
  else
    tail -n 20 service.log 2>/dev/null
    exit 3
  fi
  ;;
*)
  echo "zotctl.sh start | stop | status" >&2
  exit 2
  ;;
esac
