# shellcheck shell=dash disable=SC2034,SC2154,SC2119,SC2120
# procd_* of the OpenWrt stand-in: what an init script says about its processes and triggers, and what becomes of it.
# Names and meanings are those of openwrt/procd (files/procd.sh, service/instance.c); where the real one sends JSON over
# ubus to process 1, this one writes shell text and starts a supervisor per instance (/usr/lib/stand-in/supervise).
#
#   /var/run/procd/<service>/triggers                 lines "<event> <key> <value> <command>", words apart by tabs
#   /var/run/procd/<service>/<instance>/settings      p_<parameter>=<words, quoted for the shell>
#                                       supervisor, pid, exit, files (hashes of what `file` names)
#
# A service that is started again: an instance whose settings are the same runs on; with other content of a `file`
# it gets reload_signal, or is restarted without one; with other settings it is restarted.

PROCD_RUN=${PROCD_RUN:-/var/run/procd}

# Words as the shell reads them back.
_procd_quote() {
	local word out='' rest
	for word in "$@"; do
		case "$word" in
			*\'*)
				rest=$word word=''
				while :; do
					case "$rest" in
						*\'*) word="$word${rest%%\'*}'\\''" rest=${rest#*\'} ;;
						*) word=$word$rest; break ;;
					esac
				done
				;;
		esac
		out="$out${out:+ }'$word'"
	done
	_quoted=$out
}

procd_lock() {
	[ -n "$_procd_locked" ] && return 0
	[ -d /var/lock ] || mkdir -p /var/lock
	exec 9> "/var/lock/procd_$name.lock"
	# Of util-linux; without it two calls at the same time are the caller's risk.
	if command -v flock > /dev/null; then flock 9; fi
	_procd_locked=1
}

# --- saying it -----------------------------------------------------------------------------------------------

procd_open_service() {
	procd_lock
	_procd_service=$1 _procd_instances='' _procd_triggers='' _procd_number=0
	[ ! -e "$PROCD_RUN/$1.new" ] || rm -rf "${PROCD_RUN:?}/$1.new"
	mkdir -p "$PROCD_RUN/$1.new"
}

procd_open_instance() {
	_procd_number=$((_procd_number + 1))
	_procd_instance=${1:-instance$_procd_number}
	_procd_parameters=''
}

# procd_set_param <parameter> [<word>...]; env, data and limits take name=value words.
procd_set_param() {
	local parameter="$1"
	shift
	case "$parameter" in
		reload_signal) case "$1" in [A-Z]*) set -- "${1#SIG}" ;; esac ;;
		respawn) [ $# -gt 0 ] || set -- 3600 5 5 ;;
	esac
	_procd_quote "$@"
	eval "p_$parameter=\$_quoted"
	list_contains _procd_parameters "$parameter" || append _procd_parameters "$parameter"
}

procd_append_param() {
	local parameter="$1"
	shift
	list_contains _procd_parameters "$parameter" || eval "p_$parameter="
	_procd_quote "$@"
	append "p_$parameter" "$_quoted"
	list_contains _procd_parameters "$parameter" || append _procd_parameters "$parameter"
}

# A jail's name and kinds are noted; its mounts and namespaces are not made here, its capabilities are.
procd_add_jail() { procd_set_param jail "$@"; }
procd_add_jail_mount() { procd_append_param jail_mount "$@"; }
procd_add_jail_mount_rw() { procd_append_param jail_mount_rw "$@"; }

procd_close_instance() {
	local parameter folder="$PROCD_RUN/$_procd_service.new/$_procd_instance"
	mkdir -p "$folder"
	for parameter in $_procd_parameters; do
		eval "_procd_quote \"\$p_$parameter\""
		printf 'p_%s=%s\n' "$parameter" "$_quoted"
		unset "p_$parameter"
	done > "$folder/settings"
	append _procd_instances "$_procd_instance"
}

procd_add_instance() {
	procd_open_instance
	procd_set_param command "$@"
	procd_close_instance
}

# --- triggers --------------------------------------------------------------------------------------------------

_procd_trigger() {
	local event="$1" key="$2" value="$3"
	shift 3
	_procd_quote "$@"
	_procd_triggers="$_procd_triggers$event	$key	$value	$_quoted
"
}

procd_open_trigger() { :; }
procd_close_trigger() { :; }
procd_open_validate() { :; }
procd_close_validate() { :; }
procd_open_data() { :; }
procd_close_data() { :; }
procd_add_mdns() { :; }
procd_add_mdns_service() { :; }
procd_add_validation() { :; }

procd_add_config_trigger() { # <event> <package> <command>...
	local event="$1" package="$2"
	shift 2
	_procd_trigger "$event" package "$package" "$@"
}

procd_add_interface_trigger() { # <event> <interface> <command>...
	local event="$1" interface="$2"
	shift 2
	_procd_trigger "$event" interface "$interface" "$@"
}

procd_add_raw_trigger() { # <event> <milliseconds> <command>...
	local event="$1"
	shift 2
	_procd_trigger "$event" '' '' "$@"
}

procd_add_reload_trigger() {
	local package
	for package in "$@"; do _procd_trigger config.change package "$package" "/etc/init.d/$_procd_service" reload; done
}

procd_add_reload_interface_trigger() { _procd_trigger 'interface.*' interface "$1" "/etc/init.d/$_procd_service" reload; }

# Of the paths, those below a mount point that fstab names.
procd_get_mountpoints() {
	local CONFIG_SECTIONS section target path
	config_load fstab
	for section in $CONFIG_SECTIONS; do
		config_get target "$section" target
		[ -n "$target" ] || continue
		for path in "$@"; do
			case "${path%/}/" in "${target%/}"/*) printf '%s\n' "${target%/}" ;; esac
		done
	done | sort -u
}

procd_add_action_mount_trigger() {
	local action="$1" target
	shift
	for target in $(procd_get_mountpoints "$@"); do
		_procd_trigger mount.add target "$target" "/etc/init.d/$_procd_service" "$action"
	done
}
procd_add_restart_mount_trigger() { procd_add_action_mount_trigger restart "$@"; }
procd_add_reload_mount_trigger() { procd_add_action_mount_trigger reload "$@"; }

procd_set_config_changed() { ubus call service event "{\"type\":\"config.change\",\"data\":{\"package\":\"$1\"}}"; }

# --- doing it --------------------------------------------------------------------------------------------------

# The service is now what was said since procd_open_service: instances that were not named end.
procd_close_service() {
	local instance new="$PROCD_RUN/$_procd_service.new" now="$PROCD_RUN/$_procd_service"
	service_triggers
	[ -d "$now" ] || mkdir -p "$now"
	printf '%s' "$_procd_triggers" > "$now/triggers"
	printf '%s\n' "$initscript" > "$now/script"
	for instance in "$now"/*/; do
		instance=${instance%/} instance=${instance##*/}
		[ "$instance" = '*' ] || list_contains _procd_instances "$instance" || _procd_end "$_procd_service" "$instance"
	done
	for instance in $_procd_instances; do
		if _procd_is_up "$now/$instance" && cmp -s "$new/$instance/settings" "$now/$instance/settings"; then
			_procd_hash_files "$now/$instance/settings" "$new/$instance/files"
			cmp -s "$new/$instance/files" "$now/$instance/files" && continue
			mv -f "$new/$instance/files" "$now/$instance/files"
			_procd_reload_instance "$instance" && continue
		fi
		_procd_end "$_procd_service" "$instance"
		mkdir -p "$now/$instance"
		mv -f "$new/$instance/settings" "$now/$instance/settings"
		_procd_hash_files "$now/$instance/settings" "$now/$instance/files"
		setsid sh /usr/lib/stand-in/supervise "$_procd_service" "$instance" < /dev/null > /dev/null 2>&1 9>&- &
		echo $! > "$now/$instance/supervisor"
	done
	rm -rf "$new"
}

_procd_hash_files() { # <settings> <where to>
	(
		p_file=''
		# shellcheck disable=SC1090
		. "$1"
		eval "set -- $p_file"
		[ $# = 0 ] || md5sum "$@" 2> /dev/null
		:
	) > "$2"
}

# Sends the reload signal; false when the instance has none.
_procd_reload_instance() {
	local p_reload_signal=''
	# shellcheck disable=SC1090
	. "$PROCD_RUN/$_procd_service/$1/settings"
	[ -n "$p_reload_signal" ] || return 1
	eval "procd_send_signal '$_procd_service' '$1' $p_reload_signal"
}

# Sends a signal to the process whose number is in a file; false when there is none. The file may go at any time.
_procd_signal() { # <file> <signal>
	local pid=''
	{ read -r pid < "$1"; } 2> /dev/null
	[ -n "$pid" ] && kill -s "$2" "$pid" 2> /dev/null
}

_procd_is_up() { _procd_signal "$1/supervisor" 0; }

# Ends one instance and waits until it is gone: the supervisor takes its file away last. One that does not (because its
# caller ignored TERM, which a child cannot take back) is killed, with its process, 5 seconds after its time.
_procd_end() { # <service> <instance>
	local folder="${PROCD_RUN:?}/$1/$2" p_term_timeout='' tenths=0
	if _procd_signal "$folder/supervisor" TERM; then
		# shellcheck disable=SC1090,SC1091
		[ ! -f "$folder/settings" ] || . "$folder/settings"
		eval "p_term_timeout=$p_term_timeout"
		while _procd_is_up "$folder"; do
			sleep 0.1
			tenths=$((tenths + 1))
			[ $tenths -lt $(((${p_term_timeout:-5} + 5) * 10)) ] || { _procd_signal "$folder/pid" KILL; _procd_signal "$folder/supervisor" KILL; }
		done
	fi
	[ ! -e "$folder" ] || rm -rf "$folder"
}

procd_kill() { # <service> [<instance>]
	local folder
	procd_lock
	for folder in "$PROCD_RUN/$1/"${2:-*}/; do
		folder=${folder%/}
		[ ! -d "$folder" ] || _procd_end "$1" "${folder##*/}"
	done
	[ -n "$2" ] || rm -rf "${PROCD_RUN:?}/$1"
	return 0
}

procd_send_signal() { # <service> [<instance> [<signal>]]
	local folder result=1
	for folder in "$PROCD_RUN/$1/"${2:-*}/; do
		_procd_signal "${folder}pid" "${3:-HUP}" && result=0
	done
	return $result
}

procd_running() { # <service> [<instance>]
	local folder
	for folder in "$PROCD_RUN/$1/"${2:-*}/; do
		! _procd_signal "${folder}pid" 0 || return 0
	done
	return 1
}

# What `/etc/init.d/x status` says, with its exit code.
_procd_status() { # <service> [<instance>]
	local folder all=0 up=0
	[ -d "$PROCD_RUN/$1" ] || { echo inactive; return 3; }
	for folder in "$PROCD_RUN/$1/"${2:-*}/; do
		[ -d "$folder" ] || continue
		all=$((all + 1)) folder=${folder%/}
		! procd_running "$1" "${folder##*/}" || up=$((up + 1))
	done
	if [ $all = 0 ]; then
		[ -z "$2" ] || { echo "unknown instance $2"; return 4; }
		echo 'active with no instances'
	elif [ $up = 0 ]; then
		echo 'not running'
		return 5
	elif [ $up = $all ]; then
		echo running
	else
		echo "running ($up/$all)"
	fi
}

# uci_validate_section <package> <type> <section> <option:type[:default]>...: the options as variables. Types are not
# checked here; on OpenWrt validate_data does that.
uci_validate_section() {
	local package="$1" section="$3" option default
	shift 3
	for option in "$@"; do
		default=${option#*:}
		case "$default" in *:*) default=${default##*:} ;; *) default='' ;; esac
		option=${option%%:*}
		eval "$option=\$(uci_get \"\$package\" \"\$section\" \"\$option\" \"\$default\")"
	done
}

uci_load_validate() {
	local package="$1" type="$2" section="$3" function="$4"
	shift 4
	uci_validate_section "$package" "$type" "$section" "$@"
	[ -z "$function" ] || "$function" "$section" 0
}
