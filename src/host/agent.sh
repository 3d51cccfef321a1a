#!/bin/sh
# harden-zot's agent on the registry host: one POSIX sh file for Linux and macOS. Reference: docs/agent.md.
#
#   sh DIR/harden-zot/agent.sh VERB [key=value ...]       DIR holds zot's config.json; all state stays beside this file
#
#   status                     one line of JSON: what is configured, what was applied, what runs, what drifted
#   put-secret name=NAME       stdin -> secrets/NAME-<id>.json (0600), prints that path; <id> is made from the content
#   activate restart=PRINT     stdin is the new config.json; all or nothing; prints one line of JSON
#   rollback                   puts back the configuration before the current one
#   claim owner=O life=L       notes down whose the host is from now on; refuses another owner's
#   restore                    puts back the configuration from before the first hardening
#   close                      stdin is a config.json that serves without us: instead of the one from before
#   uninstall                  removes the agent and its state, once nothing is hardened any more
#
#   owner=O life=L             whose call it is: activate refuses another owner's host; restore, close and uninstall act for
#                              the life on record alone, and leave what is another's to it
#   takeover=O                 claim and activate: the owner that it is knowingly taken from
#   last=yes                   restore and close: for an earlier life of the same owner too
#   dir=DIR                    where config.json lies, when the agent itself comes on stdin (sh -s VERB dir=DIR ...)
#   zot=PATH                   zot's binary (inside the image when the service is a container)
#   service=MANAGER:NAME       systemd, systemd-user, launchd, docker, podman; or service=command with
#   start=A,B stop=A,B status=A,B   the words to run; status exits 0 while zot runs, and may print its process id
#   sudo=yes                   run the service manager, and nothing else, through `sudo -n`
#   minimum=VERSION            refuse an older zot
#   heal=N                     a counter kept in the record, raised by the program to apply the same content again
#   wait=SECONDS               how long zot may take to serve, its manager to restart it, another run to finish (60)
#
# Exit status: 0 done; 1 refused or rolled back, the reason on stderr; 2 wrong words; 75 another run holds the lock.
# A run that was killed leaves a journal (txn/), which the next run of any verb but status finishes or rolls back.
# `local` is not in POSIX, and in every shell that this runs in; functions are called by a name made of two; the last word
# of every `A && B || die` leaves:
# shellcheck disable=SC2015,SC2317,SC3043
set -u
umask_of_login=$(umask)
umask 077
LC_ALL=C
export LC_ALL
# sshd hands out a short PATH; docker and podman of macOS live outside of it.
PATH=$PATH:/usr/sbin:/sbin:/usr/local/bin:/opt/homebrew/bin

# What is noted down of a catalog before the first hardening.
most_repositories=500 most_tags=2000
# Bytes of a config.json that is compared with what is to replace it.
most_compared=262144
tab=$(printf '\t')
cr=$(printf '\r')
newline='
'

# ---------------------------------------------------------------- words and small tools

say() { printf 'harden-zot: %s\n' "$*" >&2; }

die() { say "$1"; exit "${2:-1}"; }

read_words() {
  local word
  zot='' service='' start='' stop='' status='' sudo='' minimum='' heal=0 wait=60 name='' restart=''
  owner='' life='' takeover='' last='' dir=''
  for word in "$@"; do
    case $word in
    zot=* | service=* | start=* | stop=* | status=* | sudo=* | minimum=* | heal=* | wait=* | name=* | restart=*) ;;
    owner=* | life=* | takeover=* | last=* | dir=*) ;;
    *) die "$word is not a word this agent knows; see the head of $0" 2 ;;
    esac
    case $word in *[!A-Za-z0-9._/@:%+=,-]*) die "$word holds a character that is not allowed" 2 ;; esac
    eval "${word%%=*}=\${word#*=}"
  done
  case $heal$wait in *[!0-9]*) die "heal= and wait= take whole numbers" 2 ;; esac
}

need() {
  local word
  for word in "$@"; do eval "[ -n \"\$$word\" ]" || die "$verb needs $word=" 2; done
}

nap() { sleep 0.03 2>/dev/null || sleep 1; }

# fsync FILE...: the content of files, and the names in directories, are on disk when it returns. A sync that takes no
# files writes out everything; macOS's does not even wait for the disk, as its dd may.
fsync() {
  local file
  : "${help_of_sync=$(sync --help 2>&1)}"
  case $help_of_sync in *FILE*) sync "$@" && return || return ;; esac
  for file in "$@"; do [ -d "$file" ] || dd if=/dev/null of="$file" conv=notrunc,fsync 2>/dev/null; done
  sync
}

# put_in_place NEW FILE: whole, or the old one: a rename by itself may reach the disk before the content does.
put_in_place() { fsync "$1" && mv -f "$1" "$2" && fsync "${2%/*}"; }

sha256() {
  if command -v sha256sum >/dev/null 2>&1; then set -- "$(sha256sum)"; else set -- "$(shasum -a 256)"; fi
  printf '%s' "${1%% *}"
}

# A configuration counts without the newlines at its end: a write in place pads with them.
config_sha256() {
  local text && text=$(cat "$1") || return 1
  printf '%s\n' "$text" | sha256
}

# JSON on stdin -> one line a scalar, "lower.case.path<TAB>value", and an empty line after each document.
# -v lines=1 reads one document a line and skips what is not JSON, as in a log.
json() {
  awk "$@" '
    function place(  i, text) { for (i = 1; i <= depth; i++) text = text (i > 1 ? "." : "") name[i]; return tolower(text) }
    function scalar(value) { print place() "\t" value; keyed = 0 }
    {
      if (lines) depth = keyed = 0
      rest = $0
      while (1) {
        sub(/^[ \t\r,:]+/, "", rest)
        if (rest == "") break
        first = substr(rest, 1, 1)
        if (depth == 0 && first != "{") break
        if (first == "{" || first == "[") {
          kind[++depth] = first; name[depth] = "[]"; keyed = 0; rest = substr(rest, 2)
        } else if (first == "}" || first == "]") {
          depth--; keyed = 0; rest = substr(rest, 2)
          if (depth == 0) print ""
        } else if (match(rest, /^"([^"\\]|\\.)*"/)) {
          text = substr(rest, 2, RLENGTH - 2); rest = substr(rest, RLENGTH + 1)
          gsub(/\\\//, "/", text)
          if (kind[depth] == "{" && !keyed) { name[depth] = text; keyed = 1 } else scalar(text)
        } else if (match(rest, /^[-+.A-Za-z0-9]+/)) {
          text = substr(rest, 1, RLENGTH); rest = substr(rest, RLENGTH + 1); scalar(text)
        } else break
      }
    }'
}

# JSON on stdin -> the same with "secret://*:*@" for every value whose key may be that of a secret (whatever lies within it,
# too), and for every URL with a password in it. A key with an escape in it may be spelt as anything.
without_secrets() {
  awk '
    # What stands between quotes, one after the other: punctuation, string, punctuation, ...
    BEGIN { RS = "\""; blank = "secret://*:*@" }
    string {
      word = word $0
      if (match($0, /\\+$/) && RLENGTH % 2) { word = word "\""; next }
      string = 0; next
    }
    { if (NR > 1) told($0 ~ /^[ \t\r\n]*:/); pass($0); string = 1; word = "" }
    function told(key) {
      if (key) {
        if (depth <= hidden) hidden = 0
        if (!hidden && tolower(word) ~ /secret|passw|token|accesskey|accountkey|hashkey|encryptkey|authorization|credential|headers|\\/ &&
          tolower(word) !~ /(file|url|htpasswd)$/) hidden = depth
      } else if (hidden || word ~ /:\/\/[^\/]*@/) word = blank
      printf "\"%s\"", word
    }
    function pass(between,  i, sign) {
      if (hidden) gsub(/[-+.0-9A-Za-z]+/, "\"" blank "\"", between)
      for (i = 1; i <= length(between); i++) {
        sign = substr(between, i, 1)
        if (sign == "{" || sign == "[") depth++
        if ((sign == "}" || sign == "]") && --depth < hidden) hidden = 0
      }
      printf "%s", between
    }'
}

# zot's log on stdin -> its last errors, one a line, without the noise. "http: Server closed" is how zot ends when told to.
errors_of_log() {
  json -v lines=1 | awk -F "$tab" '
    $1 == "level" { bad = ($2 ~ /^(error|fatal|panic)$/) }
    $1 == "message" { message = $2 }
    $1 == "error" { error = $2 }
    $0 == "" {
      if (bad && error != "http: Server closed") print message (error == "" ? "" : ": " error)
      bad = 0; message = error = ""
    }' | sed 's/\\[nt]/ /g; s/\\"/"/g' | tail -n "$1"
}

# fetch URL MAXIMUM-SECONDS [curl option]: the body in $body; 0 = 2xx, 1 = answered otherwise, 2 = nobody answers ($why).
fetch() { body='' why=''; if command -v curl >/dev/null 2>&1; then fetch_by_curl "$@"; else fetch_by_wget "$@"; fi; }

# $asker stands in front of curl; where it may not (1) or cannot (125 to 127) run, or finds no certificates to trust (77),
# this host asks.
asker=''
fetch_by_curl() {
  local code
  # shellcheck disable=SC2086
  body=$($asker curl -sS -L -m "$2" ${3:+"$3"} -w '\n%{http_code}' "$1" 2>&1)
  code=$?
  case ${asker:+there}$code in there1 | there77 | there12[567]) asker='' && fetch "$@" && return || return ;; esac
  case $code in
  0) why="HTTP ${body##*"$newline"}" ;;
  6 | 7 | 28) why=${body%%"$newline"*} && return 2 ;;
  *) why=${body%%"$newline"*} && return 1 ;;
  esac
  body=${body%"$newline"*}
  case $why in 'HTTP 2'??) ;; *) return 1 ;; esac
}

fetch_by_wget() {
  local page="$1" seconds="$2"
  shift 2
  set -- ${1:+--no-check-certificate}
  # A small busybox wget knows no -T, and falls over it.
  if wget --help 2>&1 | grep -q -e ' -T'; then set -- "$@" -T "$seconds"; fi
  body=$(wget "$@" -q -O - "$page" 2>/dev/null) && return 0
  why=$(wget "$@" -O /dev/null "$page" 2>&1 | grep -i -e error -e response -e refused -e unable -e "can't" -e 'bad address' | tail -n 1)
  case $why in *[Rr]efused* | *unable* | *resolv* | *'bad address'* | *timed*) return 2 ;; *) return 1 ;; esac
}

# fetch_own URL MAXIMUM-SECONDS: as fetch, of the registry on this host; a proxy has no part in it, and its certificate
# carries another name. For a subshell.
fetch_own() {
  unset http_proxy HTTP_PROXY https_proxy HTTPS_PROXY all_proxy ALL_PROXY
  fetch "$1" "$2" -k
}

# probe URL [MAXIMUM-SECONDS]: how it was answered, in words.
probe() { (fetch_own "$1" "${2:-2}"; set -- $?; printf '%s' "$why"; exit "$1") 2>/dev/null; }

# answer URL: what it was answered, if that is 2xx.
answer() { (fetch_own "$1" 10 && printf '%s\n' "$body") 2>/dev/null; }
is_ready() { probe "$1/readyz" >/dev/null; }
is_answered() { is_ready "$1" || [ $? -ne 2 ]; }

# shows 404|401 REPOSITORY SECONDS: whether an anonymous client that asks for its tags is told so. zot may sleep before it
# refuses (auth.failDelay).
shows() { case $(probe "$url/v2/$2/tags/list" "$3") in *" $1"*) ;; *) return 1 ;; esac }

# ---------------------------------------------------------------- zot's configuration and binary

# Sets url, port, issuers, guarded (true: authentication and access control are both there), secret_files, log_file and
# proof: the repository, different for every configuration, that this one alone lets anonymous clients ask for ('' without
# one). All others of harden-zot/ are closed to them.
read_config() {
  local address=127.0.0.1 scheme=http authentication=no access=no key value
  port='' issuers='' secret_files='' log_file='' proof='' guarded=false
  while IFS=$tab read -r key value; do
    case $key in
    http.address) address=$value ;;
    http.port) port=$value ;;
    http.tls.cert) scheme=https ;;
    http.auth.openid.providers.*.issuer) issuers="$issuers $value" ;;
    log.output) log_file=$value ;;
    http.accesscontrol.repositories.*harden-zot/proof-*) proof=${key##*harden-zot/} proof=harden-zot/${proof%%.*} ;;
    esac
    case $key in http.auth.*) authentication=yes ;; http.accesscontrol.*) access=yes ;; esac
    case $value in "$state/secrets/"*) secret_files="$secret_files ${value##*/}" ;; esac
  done <<EOF
$(json <"$1" | grep -e '^http\.' -e '^log\.')
EOF
  # zot joins address and port, so an IPv6 address stands there in brackets.
  case $address in '' | 0.0.0.0) address=127.0.0.1 ;; '[::]' | ::) address='[::1]' ;; '['*) ;; *:*) address="[$address]" ;; esac
  url=$scheme://$address:$port
  [ "$authentication$access" != yesyes ] || guarded=true
}

# A container's zot reads the configuration directory, which must be mounted at the same path inside (docs/agent.md). The
# running one is asked first: an engine may copy the whole image for another one. For a subshell.
run_zot() {
  local said code image
  in_container || exec "$zot" "$@"
  if [ "$running" = yes ]; then
    said=$(engine exec "$unit" "$zot" "$@" 2>&1)
    code=$?
    # Other words than zot's own are the engine's: the container is going down, or may not be asked.
    case $said in *'"level":'*) printf '%s\n' "$said" && return "$code" ;; esac
  fi
  image=$(engine inspect -f '{{.Image}}' "$unit") || return 1
  engine run --rm --network none --volumes-from "$unit" --entrypoint "$zot" "$image" "$@"
}

# Sets version ('' when zot cannot be run). Starting zot takes as long as all the rest of a call, so what it said is
# kept until the file (inode, size, time) changes.
read_version() {
  local print known
  version='' print=$(ls -lLin "$zot" 2>/dev/null)
  if ! in_container && [ -f "$state/version" ]; then
    # Nobody syncs it: half of it counts as none.
    { IFS= read -r known && IFS= read -r version && [ "$known" = "$print" ]; } <"$state/version" && return
  fi
  version=$(run_zot --version 2>/dev/null | json -v lines=1 | sed -n "s/^commit${tab}v*\([0-9][0-9]*\.[0-9][0-9]*\.[0-9][0-9]*\).*/\1/p" | tail -n 1)
  in_container || [ -z "$version" ] || {
    printf '%s\n%s\n' "$print" "$version" >"$state/version.$$" && mv -f "$state/version.$$" "$state/version"
  } 2>/dev/null
}

older() { [ "$1" != "$2" ] && [ "$(printf '%s\n' "$1" "$2" | sort -t . -k 1,1n -k 2,2n -k 3,3n | head -n 1)" = "$1" ]; }

# ---------------------------------------------------------------- the service

# Sets manager (systemd, launchd, container or command): of each there are below MANAGER_state, MANAGER_restart,
# MANAGER_stop and MANAGER_log, which prints what may hold zot's last errors.
set_up_service() {
  as_root='' user='' manager=${service%%:*} unit=${service#*:}
  [ "$sudo" = yes ] && as_root='sudo -n'
  case $service in
  systemd:?* | launchd:?*) ;;
  systemd-user:?*)
    manager=systemd as_root='' user=yes XDG_RUNTIME_DIR=${XDG_RUNTIME_DIR:-/run/user/$(id -u)}
    export XDG_RUNTIME_DIR
    ;;
  docker:?* | podman:?*) manager=container ;;
  command) need start stop status ;;
  *) die "service=$service: give systemd:NAME, systemd-user:NAME, launchd:NAME, docker:NAME, podman:NAME or command" 2 ;;
  esac
}

# become COMMAND...: in a subshell.
become() { exec $as_root "$@"; }

# run_words RUNNER A,B,C: has the runner (become, limited) run the words.
run_words() {
  IFS=,
  # shellcheck disable=SC2086
  set -- "$1" $2
  unset IFS
  "$@"
}

# limited COMMAND...: runs a command that changes the service, for $wait seconds at most: a manager that hangs must not
# keep the registry from its last good configuration. The command's own words go to $said, for the error.
limited() {
  local words_file="$state/said.$$" child give_up code
  # A service that is started here inherits neither the agent's umask nor its deafness to signals.
  true >"$words_file" || words_file=/dev/null
  (trap - HUP PIPE && umask "$umask_of_login" && become "$@") </dev/null >"$words_file" 2>&1 &
  child=$! give_up=$(($(date +%s) + wait))
  while kill -0 "$child" 2>/dev/null; do
    if [ "$(date +%s)" -ge "$give_up" ]; then
      # Out of our hands if it is root's, so it is not waited for.
      kill -9 "$child" 2>/dev/null
      said="it did not come back within $wait s"
      return 1
    fi
    nap
  done
  wait "$child"
  code=$?
  said=$(cat "$words_file")
  return "$code"
}

# ---- systemd, of the system or of the user

systemd_state() {
  said=$($as_root systemctl ${user:+--user} show -p LoadState -p ActiveState -p SubState -p MainPID "$unit" 2>&1) ||
    running=refused
  case $running:$said in
  no:*LoadState=not-found*) running=missing ;;
  no:*SubState=running*) running=yes pid=${said##*MainPID=} pid=${pid%%"$newline"*} ;;
  esac
}

systemd_restart() {
  # After a crash loop systemd refuses to start a unit at all, also the one that is to be put back.
  limited systemctl ${user:+--user} reset-failed "$unit"
  limited systemctl ${user:+--user} restart "$unit"
}

systemd_stop() { limited systemctl ${user:+--user} stop "$unit"; }
# `--user -u` shows nothing on a machine that keeps no journal on disk.
systemd_log() { $as_root journalctl "--${user:+user-}unit=$unit" -n 40 -o cat --no-pager; }

# ---- launchd

launchd_find() {
  for domain in "gui/$(id -u)" "user/$(id -u)" system; do said=$($as_root launchctl print "$domain/$unit" 2>&1) && return; done
  return 1
}

launchd_plist() {
  local directory
  for directory in "$HOME/Library/LaunchAgents" /Library/LaunchAgents /Library/LaunchDaemons; do
    [ -f "$directory/$unit.plist" ] && printf '%s' "$directory/$unit.plist" && return 0
  done
  return 1
}

launchd_state() {
  if launchd_find; then
    said=$($as_root launchctl print "$domain/$unit" 2>/dev/null)
    pid=$(printf '%s\n' "$said" | sed -n 's/^[[:space:]]*pid = \([0-9]*\)$/\1/p' | head -n 1)
    [ -z "$pid" ] || running=yes
  else
    launchd_plist >/dev/null || running=missing
  fi
}

launchd_restart() {
  local plist try
  if launchd_find; then limited launchctl kickstart -k "$domain/$unit" && return || return; fi
  plist=$(launchd_plist) || return 1
  domain=gui/$(id -u)
  case $plist in /Library/LaunchDaemons/*) domain=system ;; esac
  # A job that was just unloaded may be draining still: launchctl says 5 (Input/output error) until it is gone.
  for try in 1 2 3; do
    limited launchctl bootstrap "$domain" "$plist" && return 0
    [ "$try" = 3 ] || sleep 1
  done
  return 1
}

# A job that launchd keeps alive stops only by being unloaded.
launchd_stop() { if launchd_find; then limited launchctl bootout "$domain/$unit"; fi; }

launchd_log() {
  local file
  launchd_find && $as_root launchctl print "$domain/$unit" | sed -n 's/^[[:space:]]*std[a-z]* path = //p' | sort -u |
    while IFS= read -r file; do tail -n 40 "$file"; done
}

# ---- docker and podman

in_container() { [ "$manager" = container ]; }
engine() { $as_root "${service%%:*}" "$@"; }

container_state() {
  if said=$(engine inspect -f '{{.State.Status}} {{.State.Pid}}' "$unit" 2>&1); then
    case $said in *'running '*) running=yes pid=${said##*running } ;; esac
  else
    case $said in *[Nn]'o such '*) running=missing ;; *) running=refused ;; esac
  fi
}

container_restart() { limited "${service%%:*}" restart "$unit"; }
container_stop() { limited "${service%%:*}" stop "$unit"; }
container_log() { engine logs --tail 40 "$unit" 2>&1; }

# Sets network ('' or host: zot uses this host's; container:ID: another container's; else the name of the container's own)
# and shown: under which port the host shows the one that zot listens on ('' under none).
look_at_network() {
  local modes
  network='' shown='' asker=''
  in_container || return 0
  modes=$(engine inspect -f '{{.HostConfig.NetworkMode}} {{json .HostConfig.PortBindings}}' "$unit" 2>/dev/null) || return 0
  network=${modes%% *}
  shown=$(printf '%s\n' "${modes#* }" | json | sed -n "s|^$port/tcp\.\[\]\.hostport$tab||p" | head -n 1)
}

# What keeps the host's clients, and this agent, from a zot in a container; '' when nothing does.
port_trouble() {
  case $network:$url in :* | host:* | container:*) return ;; *//127.0.0.1:* | *'//[::1]:'*) ;; *) return ;; esac
  [ "$shown" = "$port" ] || echo "zot listens on $port in the container and the host shows ${shown:-no port of it}: publish it under the same number (-p $port:$port)"
}

# Sets asker: what stands in front of curl to ask from where zot does. A container with a network of its own may know
# other names and trust other certificates than this host, and has no curl, so this host's tools are mounted beside its
# own files.
set_asker() {
  local image directory from="$network"
  case $network in '' | host) return ;; esac
  command -v curl >/dev/null 2>&1 || return 0
  image=$(engine inspect -f '{{.Image}}' "$unit" 2>/dev/null) || return 0
  [ "$running" != yes ] || from=container:$unit
  asker="$as_root ${service%%:*} run --rm --network $from --volumes-from $unit"
  for directory in /bin /lib /lib64 /usr; do [ ! -d "$directory" ] || asker="$asker -v $directory:$directory:ro"; done
  asker="$asker --entrypoint /usr/bin/env $image"
}

# ---- any other manager, by words to run

command_state() {
  said=$(run_words become "$status" </dev/null 2>&1) || return 0
  running=yes pid=${said##*"$newline"}
  case $pid in *[!0-9]*) pid='' ;; esac
}

command_restart() { run_words limited "$stop" && run_words limited "$start"; }
command_stop() { run_words limited "$stop"; }
command_log() { (run_words become "$status" 2>&1); }

# ---- whichever it is

# Sets running (yes, no, missing: the manager does not know it, or refused: it was not asked, for the reason in $said) and
# pid ('' when the manager does not tell).
service_state() {
  running=no pid='' said=''
  "${manager}_state"
  # Whatever is run as root: sudo has its own word, and its exit status is as good as a stopped service's.
  case $running:$said in no:*sudo:* | missing:*sudo:*) running=refused ;; esac
}

# What stands in the way of the service as it is asked for, in words; '' when nothing does.
service_trouble() {
  case $running in
  missing) echo "the service manager does not know $unit (service=$service): correct the host's service setting" ;;
  refused) echo "the service manager did not let $(id -un) ask for $unit: $(printf '%s\n' "$said" | tail -n 1) (docs/hosts.md has what each manager needs)" ;;
  esac
}

# The file that zot runs with, where its arguments can be seen; '' else.
served_file() {
  local file directory
  [ -n "$pid" ] || return 0
  file=$(ps -A -o pid,args 2>/dev/null |
    awk -v pid="$pid" '$1 == pid { for (i = 2; i < NF; i++) if ($i == "serve") { print $(i + 1); exit } }')
  case $file in '') return ;; /*) ;; *) file=/proc/$pid/cwd/$file ;; esac
  directory=$(cd "${file%/*}" 2>/dev/null && pwd -P) && printf '%s' "$directory/${file##*/}"
}

# What of config.json stands in the way of a first hardening.
file_trouble() {
  local file
  link_trouble
  [ "$running" = yes ] || return 0
  file=$(served_file)
  if [ -n "$file" ] && [ "$file" != "$(cd "${config%/*}" && pwd -P)/config.json" ]; then
    echo "$unit runs zot with $file, and not with $config: correct the host's configDirectory setting, or have the service run zot serve $config"
  else
    absence_trouble
  fi
}

link_trouble() { [ ! -h "$config" ] || echo "$config is a symbolic link, which whoever made it would put back: make it a file of its own"; }
# Of a service that runs.
absence_trouble() { [ -f "$config" ] || echo "$unit runs, but not from $config, which is not there: correct the host's configDirectory setting"; }

# The same of zot's binary.
zot_trouble() {
  if ! in_container && { [ ! -f "$zot" ] || [ ! -x "$zot" ]; }; then
    echo "there is no zot to run at $zot: install it there, or correct the host's zot setting"
  elif [ -z "$version" ] && ! { in_container && [ "$running" = refused ]; }; then
    echo "$zot --version did not say a version: is it zot, built for this machine?"
  fi
}

# The last errors zot logged, one a line.
service_errors() {
  {
    "${manager}_log"
    [ -z "$log_file" ] || tail -n 40 "$log_file"
  } 2>/dev/null | errors_of_log 3
}

last_error() {
  local error && error=$(service_errors | tail -n 1)
  [ -z "$error" ] || printf ': %s' "$error"
}

# serves URL OLD-PID: waits until the service runs as one process (another than OLD-PID) and answers ready.
serves() {
  local now deadline ran deaths=0 seen='' patience && now=$(date +%s)
  deadline=$((now + wait)) ran=$now
  while [ "$now" -lt "$deadline" ]; do
    service_state
    if [ "$running" = yes ] && { [ -z "$pid" ] || [ "$pid" != "$2" ]; }; then
      [ -n "$seen" ] && [ "$seen" != "$pid" ] && deaths=$((deaths + 1))
      seen=$pid ran=$now
      if is_ready "$1"; then
        service_state
        [ "$running:$pid" = "yes:$seen" ] && return 0
      fi
    elif [ -n "$seen" ] && [ "$running" = no ]; then
      deaths=$((deaths + 1)) seen=''
    fi
    # One death may be a port or a database not yet let go by the process before; two are a crash loop, and so is one
    # after which the manager holds back (launchd does, for 10 s).
    patience=15
    [ "$deaths" -eq 0 ] || patience=2
    [ "$deaths" -lt 2 ] && [ $((now - ran)) -le "$patience" ] || return 1
    nap
    now=$(date +%s)
  done
  return 1
}

# ---------------------------------------------------------------- lock, record, journal

alive() {
  [ "$1" != $$ ] && kill -0 "$1" 2>/dev/null || return 1
  # A process id comes round again, after a reboot for one, also as the id of a thread, which Linux signals and ps does not
  # list: ask whether it is an agent, if this ps can tell.
  ps -A -o pid,args 2>/dev/null | awk -v pid="$1" '$1 == pid && /agent\.sh/ { agent = 1 } END { exit !(NR < 2 || agent) }'
}

lock() {
  local deadline tries=0 holder seen
  printf '%s\n' $$ >"$state/lock.$$" || die "cannot write in $state; nothing was changed"
  trap 'rm -f "$state"/*."$$"' EXIT
  deadline=$(($(date +%s) + wait))
  # A hard link appears whole, with the holder's id in it, or not at all.
  while ! ln "$state/lock.$$" "$state/lock" 2>/dev/null; do
    # Only a power cut leaves an empty one: nobody holds it either.
    if holder=$(cat "$state/lock" 2>/dev/null) && ! alive "$holder"; then
      # One at a time may break a lock, and only the one it saw.
      if mkdir "$state/lock.breaking" 2>/dev/null; then
        seen=$(cat "$state/lock" 2>/dev/null) && [ "$seen" = "$holder" ] && rm -f "$state/lock"
        rmdir "$state/lock.breaking" 2>/dev/null
        continue
      fi
      # That takes milliseconds: whoever began it a second ago was killed in between.
      tries=$((tries + 1))
      [ "$tries" -lt 30 ] || rmdir "$state/lock.breaking" 2>/dev/null
    fi
    [ "$(date +%s)" -lt "$deadline" ] ||
      die "another run (process $holder) is changing this registry and did not finish within $wait s; nothing was changed, try again" 75
    nap
  done
  trap 'rm -f "$state/lock" "$state"/*."$$"' EXIT
}

# Sets held_owner and held_life: whose the host is ('' of an installation from before there were owners).
read_tenure() {
  local key value
  held_owner='' held_life=''
  [ -f "$state/tenure" ] || return 0
  while IFS='=' read -r key value; do
    case $key in owner | life) value=${value%"$cr"} && eval "held_$key=\$value" ;; esac
  done <"$state/tenure"
}

# A host without an owner is taken over by whoever comes first; another owner's by the one who names it.
take_tenure() {
  read_tenure
  case $held_owner in
  '' | "$owner" | "$takeover") ;;
  *) die "this registry is delivered by $held_owner, and this run is of ${owner:-somebody who gives no owner}: deliver to it from there, or take it over with the host's setting takeOver: $held_owner; nothing was changed" ;;
  esac
  [ "$held_owner:$held_life" = "$owner:$life" ] && return
  printf 'owner=%s\nlife=%s\n' "$owner" "$life" >"$state/tenure.$$" && put_in_place "$state/tenure.$$" "$state/tenure" ||
    die "cannot write in $state: is the disk full? nothing was changed"
}

# Whether what is to end belongs to this call: Pulumi deletes what it has replaced after it has made the new one.
ends_here() {
  read_tenure
  case $held_owner:$held_life in : | "$owner:$life") return 0 ;; esac
  [ "$last:$held_owner" = "yes:$owner" ] && return 0
  say "this registry is delivered by $held_owner (life $held_life) and stays as it is; $verb was for ${owner:-no owner} (life ${life:-none}), which was replaced, renamed or taken over"
  return 1
}

# Sets applied_sha256, applied_restart, applied_zot, applied_heal and applied_rollback ('' when nothing was applied).
read_record() {
  local key value
  applied_sha256='' applied_restart='' applied_zot='' applied_heal=0 applied_rollback=''
  [ -f "$state/record" ] || return
  while IFS='=' read -r key value; do
    case $key in sha256 | restart | zot | heal | rollback) eval "applied_$key=\$value" ;; esac
  done <"$state/record"
  case $applied_heal in '' | 0?* | *[!0-9]*) applied_heal=0 ;; esac
}

# write_record RESTART-PRINT
write_record() {
  printf 'sha256=%s\nrestart=%s\nzot=%s\nheal=%s\n' "$new" "$1" "$version" "$heal" &&
    if [ "$operation" = rollback ]; then echo rollback=yes; fi
}

# The journal is txn/ with one file, named by how far the run came: switch, rollback or commit. It says whether there
# was a configuration (had), what the service did (was), where it answered, what is being done (operation: the verb), and
# the sha256 of all that.
journal_line() { printf '%s %s %s %s' "$had" "$was" "$old_url" "$operation"; }

# write_journal PHASE: what lies in txn/ is on disk before the journal counts, and the journal before anything else is done.
write_journal() {
  printf '%s %s\n' "$(journal_line)" "$(journal_line | sha256)" >"$txn/$1.new" &&
    fsync "$txn"/* && mv -f "$txn/$1.new" "$txn/$1" && fsync "$txn" "$state"
}

# read_journal FILE: what a line that is not whole would have done to config.json is for somebody who looks.
read_journal() {
  local check && read -r had was old_url operation check <"$1"
  [ "$check" = "$(journal_line | sha256)" ] || die "$1 is not whole, so what an interrupted run was doing is not known; nothing was changed. $txn holds:$(cd "$txn" && printf ' %s' *). Look at $config: where it is not what zot should serve, put before.json, the one from before that run, in its place; then remove $txn and run again"
}

# How far an interrupted run came; '' when none was interrupted.
journal_phase() {
  local phase
  for phase in commit switch rollback; do [ ! -f "$txn/$phase" ] || { echo "$phase" && return; }; done
}

recover() {
  local phase file && phase=$(journal_phase)
  [ -z "$phase" ] || read_journal "$txn/$phase"
  case $phase in
  commit) say "finishing an interrupted $operation"; commit ;;
  ?*) say "rolling back an interrupted $operation"; undo_switch || say "$outcome" ;;
  esac
  rm -rf "$txn"
  # Of a run that was killed when it had broken a lock: whoever is about it now finds ours, and leaves it.
  rmdir "$state/lock.breaking" 2>/dev/null
  for file in "$state"/*.[0-9]*; do
    [ -f "$file" ] && [ "${file##*.}" != $$ ] && ! alive "${file##*.}" && rm -f "$file"
  done
  return 0
}

# Puts the configuration of the journal back; says in $outcome how it ended.
undo_switch() {
  local code=0
  if [ -f "$txn/before.json" ] && cmp -s "$txn/before.json" "$config"; then
    # Not switched yet, or to the same content: there is nothing to put back.
    fsync "$config" && rm -rf "$txn"
    outcome="the configuration was not changed"
    return 0
  fi
  [ -f "$txn/rollback" ] || mv -f "$txn/switch" "$txn/rollback"
  if [ "$had" = no ]; then
    rm -f "$config"
  # Gone when a killed rollback had come this far already. The file may be writable in a directory that is not.
  elif [ -f "$txn/before.json" ] && ! mv -f "$txn/before.json" "$config" &&
    ! { cat "$txn/before.json" >"$config" && fsync "$config"; }; then
    outcome="the last good configuration could not be put back from $txn/before.json to $config: make that directory writable and run again"
    return 1
  fi
  # Before the journal goes.
  fsync "${config%/*}"
  service_state
  [ "$had" = no ] || read_config "$config"
  # When the manager refuses, the process from before may well be serving still.
  if [ "$was" = stopped ]; then "${manager}_stop"; else "${manager}_restart" || pid=none; fi
  outcome="the configuration from before is back; zot was not serving then either"
  if [ "$was" = healthy ]; then
    outcome="the last good configuration is back and serving"
    serves "$old_url" "$pid" || code=1 outcome="the last good configuration is back but zot does not serve at $old_url$(last_error)"
  fi
  rm -rf "$txn"
  return "$code"
}

# Notes down what now serves, and lets go of what is not needed any more. Until the end the journal stays, so that a run
# that was killed or could not write here is finished by the next one; each step may have been done before.
commit() {
  fsync "$txn" && case $operation in
  restore | close)
    [ "$operation" = close ] || rm -f "$state"/original.*
    rm -rf "$state/secrets" "$state"/previous.* "$state/version" "$state/record" "$state/catalog"
    ;;
  *)
    keep original.json && keep original.none && keep catalog && keep previous.record && keep previous.json &&
      forget_secrets && keep record
    ;;
  esac && fsync "$state" && rm -rf "$txn" && return
  die "the $operation is done and zot serves, but that could not be noted down in $state: make it writable and run again"
}

# Those that were there at the last commit, and that nothing needs. Newer ones may be for a configuration yet to come.
forget_secrets() {
  local file
  [ ! -f "$state/record" ] || find "$state/secrets" -name '*.json' ! -newer "$state/record" | while IFS= read -r file; do
    grep -q -F -e "/${file##*/}\"" "$config" "$state/previous.json" 2>/dev/null || rm -f "$file" || :
  done
}

# keep NAME: out of txn/, if the transaction made it.
keep() { [ ! -f "$txn/$1" ] || mv -f "$txn/$1" "$state/$1"; }

# ---------------------------------------------------------------- the transaction

# What an open registry shows to anyone before it is hardened, "REPOSITORY<TAB>TAG" a line, in txn/catalog: it is asked for
# from outside afterwards. A first line "noted" and when, in seconds; a last line "more" where it holds more than is noted down.
note_catalog() {
  local asked=0 give_up name
  [ -z "$applied_sha256" ] && [ "$was" = healthy ] && ! is_ours "$config" || return 0
  echo "noted $(date +%s)" >"$txn/catalog" || return
  answer "$old_url/v2/_catalog?n=$((most_repositories + 1))" | json | sed -n "s/^repositories\.\[\]$tab//p" | {
    give_up=$(($(date +%s) + wait))
    while IFS= read -r name; do
      asked=$((asked + 1))
      if [ "$asked" -gt "$most_repositories" ] || [ "$(date +%s)" -ge "$give_up" ]; then
        echo more
        break
      fi
      answer "$old_url/v2/$name/tags/list" | json | awk -F "$tab" -v name="$name" '$1 == "tags.[]" { print name FS $2 }'
    done
  } | awk -v most="$most_tags" 'NR <= most { print } NR == most + 1 { print "more" }' >>"$txn/catalog"
}

# refuse WHY: the run ends before the switch.
refuse() {
  rm -rf "$txn"
  die "$1; nothing was changed"
}

refuse_for() { [ -z "$1" ] || refuse "$1"; }
no_room() { refuse "cannot write in $1: is the disk full?"; }

# Everything that can be known to fail is tried before the switch. $txn/candidate.json is the new configuration.
preflight() {
  local said issuer
  [ -n "$port" ] || refuse "the new config.json names no http.port, or is not JSON"
  read_version
  refuse_for "$(zot_trouble)"
  [ -z "$minimum" ] || ! older "$version" "$minimum" ||
    refuse "$zot is zot $version, and this configuration needs $minimum or newer: install a newer zot first"
  look_at_network
  refuse_for "$(port_trouble)"
  said=$(bad_secrets)
  [ -z "$said" ] || refuse "the new config.json needs $state/secrets, where $said: it has to be written again (put-secret)"
  if ! said=$(run_zot verify "$txn/candidate.json" 2>&1); then
    why=$(printf '%s\n' "$said" | errors_of_log 9 | grep -v '^invalid config file$' | tail -n 1)
    refuse "zot $version refuses the new config.json (zot verify): ${why:-$(printf '%s\n' "$said" | tail -n 1)}"
  fi
  for issuer in $issuers; do check_issuer "$issuer"; done
  [ -w "${config%/*}" ] || refuse "cannot write in ${config%/*}: is it, or its disk, read-only?"
  check_port
}

# What is wrong with the secrets that $secret_files names, one a line.
bad_secrets() {
  local name file id
  for name in $secret_files; do
    file=$state/secrets/$name
    [ -f "$file" ] || { printf 'secrets/%s is gone\n' "$name" && continue; }
    case $(ls -ld "$file") in -rw-------*) ;; *) printf 'secrets/%s is readable by others\n' "$name" ;; esac
    id=$(sha256 <"$file")
    case $name in *-"$(printf '%.12s' "$id")".json) ;; *) printf 'secrets/%s was edited\n' "$name" ;; esac
  done
}

check_issuer() {
  local code where='this host' issuer
  set_asker
  fetch "${1%/}/.well-known/openid-configuration" 10
  code=$?
  [ -z "$asker" ] || where="the container $unit"
  asker=''
  [ "$code" -eq 0 ] ||
    refuse "the OIDC issuer $1 cannot be discovered from $where ($why); zot would not start: is the issuer up, and does $where resolve and trust it?"
  issuer=$(printf '%s\n' "$body" | json | sed -n "s/^issuer$tab//p")
  [ "$issuer" = "$1" ] && return
  why=''
  [ "$issuer" != "http:${1#https:}" ] ||
    why=": Authentik does not believe the proxy in front of it that the request came over https, so add the proxy's network to AUTHENTIK_LISTEN__TRUSTED_PROXY_CIDRS in Authentik's environment, have the proxy send X-Forwarded-Proto, and restart Authentik"
  refuse "the OIDC issuer calls itself '$issuer' and the new config.json calls it '$1'; zot compares them byte for byte and would not start$why"
}

# A zot that cannot have its port would crash-loop beside whoever has it.
check_port() {
  local before="$pid"
  service_state
  if [ "$running" = yes ] && [ "$pid" = "$before" ]; then
    [ "$port" = "$old_port" ] && return
  else
    was=stopped
    [ "$running" = yes ] && was=running
  fi
  ! is_answered "$url" || refuse "port $port is answered by another process than the service $unit: stop that one, or choose another port"
}

# Reads the configuration in place and what the service does with it.
look() {
  had=no was=stopped live='' old_url=none old_port='' old_guarded=false
  refuse_for "$(link_trouble)"
  if [ -f "$config" ]; then
    read_config "$config"
    had=yes old_url=$url old_port=$port old_guarded=$guarded
    live=$(config_sha256 "$config") || refuse "cannot read $config"
  fi
  service_state
  refuse_for "$(service_trouble)"
  if [ "$running" = yes ]; then
    refuse_for "$(absence_trouble)"
    was=running
    is_ready "$old_url" && was=healthy
  fi
  read_record
}

# The same of txn/candidate.json, whose sha256 is $new.
look_at_candidate() {
  look
  read_config "$txn/candidate.json"
  new=$(config_sha256 "$txn/candidate.json") || refuse "cannot read $txn/candidate.json"
}

# The new file takes over the mode of the old one, but for the right of others to write.
make_new_file() {
  local pad=0
  if [ "$had" = yes ]; then
    cp -p "$config" "$txn/before.json" && cp -p "$config" "$txn/new.json" && chmod u+rw,go-w "$txn/new.json" || return 1
  fi
  cat "$txn/candidate.json" >"$txn/new.json" || return 1
  # A shorter file written in place would leave the end of the old one: newlines cover it.
  [ "$mode" = restart ] || pad=$(($(wc -c <"$config") - $(wc -c <"$txn/candidate.json")))
  [ "$pad" -le 0 ] || printf "%${pad}s" '' | tr ' ' "$newline" >>"$txn/new.json"
}

# Whether a configuration is one of ours: it refers to our secrets, or carries our mark. The record may be lost.
is_ours() { grep -q -e '/harden-zot/secrets/' -e '"[{},]*harden-zot/' "$1"; }

# yes, none (there was no configuration), lost, or '' before anything was hardened: the configuration from before.
find_original() {
  original=''
  if [ -f "$state/record" ] || { [ -f "$config" ] && is_ours "$config"; }; then original=lost; fi
  [ ! -f "$state/original.none" ] || original=none
  [ ! -f "$state/original.json" ] || original=yes
}

# To go back to: the open configuration from before the first hardening, and later the last one that this agent applied
# (not what someone else made of it).
keep_before() {
  if [ -z "$applied_sha256" ]; then
    if [ "$had" = no ]; then : >"$txn/original.none"; else
      is_ours "$txn/before.json" || cp -p "$txn/before.json" "$txn/original.json"
    fi
  elif [ "$live" = "$applied_sha256" ] && [ "$live" != "$new" ]; then
    cp -p "$txn/before.json" "$txn/previous.json" && cp -p "$state/record" "$txn/previous.record"
  fi
}

# transact MODE RESTART-PRINT: switches to $txn/candidate.json, by a reload or a restart; $mode says which it was.
# All that takes space on disk is written, and synced, before the switch; after it there are only renames.
transact() {
  local old_pid="$pid"
  operation=$verb mode=$1
  make_new_file || no_room "$txn"
  case $operation in activate | rollback) write_record "$2" >"$txn/record" && keep_before || no_room "$txn" ;; esac
  write_journal switch || no_room "$txn"
  if [ "$mode" = reload ] && ! reload; then
    say "zot $version did not take up the new configuration by a reload: it is restarted"
    mode=restart
  fi
  [ "$mode" = reload ] || restart_with_new_file || give_up_switch
  mv -f "$txn/switch" "$txn/commit" || { why="cannot write in $txn" && give_up_switch; }
  commit
}

restart_with_new_file() {
  mv -f "$txn/new.json" "$config" && fsync "${config%/*}" || { why="cannot write $config" && return 1; }
  "${manager}_restart" || { why="the service manager could not restart $unit: $said" && return 1; }
  serves "$url" "$old_pid" || { why="zot $version did not come up with the new configuration$(last_error)" && return 1; }
  if [ -n "$proof" ] && { shows 401 "$proof" 10 || shows 404 harden-zot/closed 10; }; then
    why="zot $version serves another configuration: does $unit run it with $config?"
    return 1
  fi
}

# zot watches the file itself: only a write into the same inode is seen, and one write is read once. It takes the file
# up within 35 ms (zot 2.1.20, 40 reloads) or 304 ms (what comes after it), in which it goes on serving.
reload() {
  local size deadline && size=$(wc -c <"$txn/new.json")
  dd if="$txn/new.json" of="$config" bs="$((size))" conv=notrunc 2>/dev/null
  cmp -s "$txn/new.json" "$config" || return 1
  chmod go-w "$config"
  # Torn where the power is cut before this, until the next run puts back the one from before.
  fsync "$config" || return 1
  deadline=$(($(date +%s) + 3))
  nap
  until shows 404 "$proof" 1; do
    [ "$(date +%s)" -lt "$deadline" ] || return 1
    nap
  done
}

# The run ends after the switch, with what was before in place again, for the reason in $why.
give_up_switch() {
  local cause="$why" errors
  errors=$(service_errors)
  undo_switch
  say "$cause; $outcome"
  [ -z "$errors" ] || printf '%s\n' "$errors" | sed 's/^/  zot: /' >&2
  exit 1
}

# end_with SHA256 ACTION
end_with() {
  rm -rf "$txn"
  printf '{"sha256":"%s","action":"%s","zot":"%s"}\n' "$1" "$2" "$version"
  exit
}

# ---------------------------------------------------------------- verbs

begin() {
  need zot service
  set_up_service
  # A lost connection must not stop a run half way.
  trap '' HUP PIPE
  lock
  recover
}

verb_activate() {
  local text && need restart
  # Before the lock: a connection that hangs holds up nobody else.
  text=$(cat)
  begin
  take_tenure
  mkdir "$txn" && printf '%s\n' "$text" >"$txn/candidate.json" || no_room "$state"
  chmod 600 "$state"/secrets/*.json 2>/dev/null
  look_at_candidate
  if nothing_to_do; then end_with "$new" unchanged; fi
  preflight
  mode=restart
  may_reload && mode=reload
  note_catalog || no_room "$txn"
  transact "$mode" "$restart"
  end_with "$new" "${mode}ed"
}

# A raised heal count asks for a restart in any case: who knows what the running process has read.
nothing_to_do() {
  [ "$new" = "$live" ] && [ "$new" = "$applied_sha256" ] && [ "$restart" = "$applied_restart" ] && [ "$was" = healthy ] &&
    [ "$heal" = "$applied_heal" ] || return 1
  read_version
  [ "$version" = "$applied_zot" ] && [ -z "$(bad_secrets)" ] || return 1
  chmod go-w "$config"
}

# Only on top of what this agent applied, to a zot that serves it, with authentication on before and after: a reload of
# an open zot logs success and enforces nothing (zot 2.1.20). And only where it can be proved: an answer that tells the
# new configuration must not be given before.
may_reload() {
  [ "$live" = "$applied_sha256" ] && [ "$restart" = "$applied_restart" ] && [ "$version" = "$applied_zot" ] &&
    [ "$was" = healthy ] && [ "$old_guarded$guarded" = truetrue ] && [ "$new" != "$live" ] &&
    [ -n "$proof" ] && shows 401 "$proof" 10
}

verb_rollback() {
  begin
  [ -f "$state/previous.json" ] ||
    die "no hardened configuration came before the current one, and only restore goes back to the open one; nothing was changed"
  mkdir "$txn" && cp "$state/previous.json" "$txn/candidate.json" || no_room "$state"
  read_record
  heal=$applied_heal
  go_back "$(sed -n 's/^restart=//p' "$state/previous.record")"
}

verb_restore() {
  begin
  ends_here || return 0
  find_original
  if [ -z "$original" ]; then version='' && end_with '' unchanged; fi
  mkdir "$txn" || no_room "$state"
  if [ "$original" = none ]; then stop_and_remove; fi
  cp "$state/original.json" "$txn/candidate.json" 2>/dev/null ||
    refuse "the configuration from before the first hardening is lost ($state/original.json): put the one that zot shall go back to there and run again, or set the host's farewell: read-only"
  go_back none
}

verb_close() {
  local text && text=$(cat)
  begin
  ends_here || return 0
  mkdir "$txn" && printf '%s\n' "$text" >"$txn/candidate.json" || no_room "$state"
  go_back none
}

# go_back RESTART-PRINT: switches to the candidate, whatever is in place.
go_back() {
  look_at_candidate
  preflight
  transact restart "$1"
  end_with "$new" restarted
}

# There was no configuration before the first hardening.
stop_and_remove() {
  look
  "${manager}_stop" || refuse "the service manager could not stop $unit: $said"
  rm -f "$config" && fsync "${config%/*}" || refuse "cannot remove $config"
  operation=$verb
  write_journal commit || die "zot is stopped and $config removed, but that could not be noted down in $txn: make it writable and run restore again"
  commit
  version='' && end_with '' stopped
}

verb_put_secret() {
  local secret file id
  need name
  case $name in *[!A-Za-z0-9-]*) die "name=$name: letters, digits and dashes only" 2 ;; esac
  # Before the lock, as in activate; and not yet in secrets/, which goes with a restore that another run is about.
  secret=$state/$name.$$
  cat >"$secret" || { rm -f "$secret" && die "cannot write in $state: is the disk full?"; }
  begin
  [ -s "$secret" ] || die "put-secret name=$name got nothing on its standard input"
  id=$(sha256 <"$secret")
  file=$state/secrets/$name-$(printf '%.12s' "$id").json
  mkdir -p "$state/secrets" && chmod 700 "$state/secrets" &&
    put_in_place "$secret" "$file" && fsync "$state" || die "cannot write $file"
  printf '%s\n' "$file"
}

verb_uninstall() {
  begin
  ends_here || return 0
  [ ! -f "$state/record" ] || die "the registry is still hardened by this agent: run restore first"
  # A close leaves the configuration from before, for the day that it is wanted.
  if [ -f "$state/original.json" ] || [ -f "$state/original.none" ]; then
    rm -rf "$state/agent.sh" "$state/tenure" && fsync "$state"
  else
    rm -rf "$state" && fsync "${config%/*}"
  fi
}

# A claim that no configuration followed holds nobody off: a first run that was cut off has its owner in no state.
verb_claim() {
  need owner life
  begin
  read_record
  find_original
  read_tenure
  [ -n "$applied_sha256$original" ] || takeover=$held_owner
  take_tenure
}

verb_status() {
  local healthy=false drift='' trouble='' found='' list='' agent='' file
  need zot service
  set_up_service
  read_tenure
  find_original
  read_record
  live='' guarded=false secret_files='' url=''
  if [ -f "$config" ]; then
    read_config "$config"
    live=$(config_sha256 "$config") || die "cannot read $config"
    case $(ls -ld "$config") in ?????w* | ????????w*) drifted "config.json is writable by others" ;; esac
  fi
  service_state
  [ "$running" = yes ] && [ -n "$live" ] && is_ready "$url" && healthy=true
  read_version
  if [ -n "$applied_sha256" ]; then find_drift; elif [ -n "$original" ]; then lost_record; fi
  if [ -z "$applied_sha256" ] && [ -f "$config" ] && ! is_ours "$config"; then
    found=$(found_config)
    [ -n "$found" ] || troubled "$config has more than $most_compared bytes or none, and cannot be compared with what is to replace it: is it zot's?"
  fi
  for file in "$(zot_trouble)" "$(service_trouble)" "$(file_trouble)"; do troubled "$file"; done
  for file in "$state"/secrets/*.json; do [ ! -f "$file" ] || list="$list,\"${file##*/}\""; done
  [ ! -s "$state/agent.sh" ] || agent=$(sha256 <"$state/agent.sh")
  case $running in yes) running=running ;; no) running=stopped ;; esac
  printf '{"agent":%s,"owner":%s,"life":%s,"place":"%s","original":%s,' \
    "$(quoted "$agent")" "$(quoted "$held_owner")" "$(quoted "$held_life")" "$(place)" "$(quoted "$original")"
  printf '"found":%s,"zot":%s,"config":%s,"applied":%s,"restart":%s,"heal":%s,"guarded":%s,"secrets":[%s],' \
    "$(quoted "$found")" "$(quoted "$version")" "$(quoted "$live")" "$(quoted "$applied_sha256")" \
    "$(quoted "$applied_restart")" "$applied_heal" "$guarded" "${list#,}"
  printf '"service":"%s","healthy":%s,"journal":%s,"lock":%s,"drift":[%s],"trouble":[%s]}\n' "$running" "$healthy" \
    "$(quoted "$(journal_phase)")" "$(quoted "$(cat "$state/lock" 2>/dev/null)")" "${drift#,}" "${trouble#,}"
}

# Tells this directory of this machine from every other, whatever either is called.
place() {
  {
    cat /proc/sys/kernel/random/boot_id 2>/dev/null || sysctl -n kern.bootsessionuuid 2>/dev/null
    uname -n
    (cd "${state%/*}" && pwd -P && ls -di .)
  } | sha256 | cut -c1-12
}

# config.json as it may be shown: on one line, without secrets.
found_config() {
  local size && size=$(wc -c <"$config") || return 0
  [ $((size)) -gt "$most_compared" ] || without_secrets <"$config"
}

# null for '', else the text as a JSON string, on one line.
quoted() {
  case $1 in
  '') printf null ;;
  *[!A-Za-z0-9._:/,-]*) json_text "$1" ;;
  *) printf '"%s"' "$1" ;;
  esac
}

json_text() { printf '"%s"' "$(printf '%s' "$1" | tr '\n\t' '  ' | tr -d '\001-\037' | sed 's/[\\"]/\\&/g')"; }

# Two lists of status; nothing is added for ''.
drifted() { [ -z "$1" ] || drift="$drift,$(json_text "$1")"; }
troubled() { [ -z "$1" ] || trouble="$trouble,$(json_text "$1")"; }

# An original without a record: it was hardened, and what was applied is not known any more. After a close it is meant so.
lost_record() { [ ! -f "$config" ] || ! is_ours "$config" || [ -z "$held_owner" ] || drifted "the record of what was applied is lost"; }

find_drift() {
  local secret why
  [ -z "$applied_rollback" ] || drifted "the configuration was rolled back by hand"
  case $live in '') drifted "config.json is gone" ;; "$applied_sha256") ;; *) drifted "config.json was edited" ;; esac
  while IFS= read -r secret; do drifted "$secret"; done <<EOF
$(bad_secrets)
EOF
  why=$(service_trouble)
  [ "$running" = yes ] || drifted "${why:-the service is not running}"
  [ "$running" = yes ] && [ "$healthy" = false ] && drifted "zot does not answer at $url/readyz"
  case $version in
  '') drifted "$(zot_trouble)" ;;
  "$applied_zot") ;;
  *) drifted "zot is $version, and was $applied_zot when the configuration was applied" ;;
  esac
}

# All of the file is read before the first line of it runs, so that it can be replaced meanwhile.
main() {
  verb=${1:-}
  [ $# -eq 0 ] || shift
  read_words "$@"
  if [ -n "$dir" ]; then state=$dir/harden-zot; else state=$(cd "${0%/*}" && pwd) || exit 2; fi
  [ -d "${state%/*}" ] ||
    die "the directory ${state%/*} is not there: make it, owned by the user zot runs as (install -d -m 700 -o USER ${state%/*}), or correct the host's configDirectory setting"
  config=${state%/*}/config.json txn=$state/txn log_file=''
  set -- "$(ls -ldn "${state%/*}")"
  # shellcheck disable=SC2086
  set -- $1
  [ "$3" = "$(id -u)" ] ||
    die "${state%/*} belongs to user id $3 and this login is $(id -u): log in as the user zot runs as, who owns that directory"
  case $verb in
  status | activate | rollback | claim | restore | close | uninstall) "verb_$verb" ;;
  put-secret) verb_put_secret ;;
  *) die "'$verb' is not a verb; give status, put-secret, activate, rollback, claim, restore, close or uninstall" 2 ;;
  esac
}

main "$@"
exit
