# shellcheck shell=dash
# shellcheck disable=SC2034
# uci_* of the stand-in: what OpenWrt's scripts call to read and change the configuration from the shell. The names
# and arguments are those of openwrt/openwrt, package/system/uci/files/lib/config/uci.sh; this text is ours.

_uci() { /sbin/uci ${UCI_CONFIG_DIR:+-c "$UCI_CONFIG_DIR"} "$@"; }

# uci_load <package>: into CONFIG_* (functions.sh). CONFIG_APPEND keeps what an earlier call read.
uci_load() {
	local __text __name
	_C=0
	if [ -z "$CONFIG_APPEND" ]; then
		for __name in $CONFIG_LIST_STATE; do
			eval "CONFIG_$__name= CONFIG_${__name}_LENGTH="
		done
		CONFIG_LIST_STATE='' CONFIG_SECTIONS='' CONFIG_NUM_SECTIONS=0 CONFIG_SECTION=''
	fi
	__text=$(_uci ${LOAD_STATE:+-P /var/state} -S -n export "$1" 2> /dev/null) || return
	eval "$__text"
	[ -z "$CONFIG_SECTION" ] || config_cb
}

# uci_set_default <package>: takes the text on standard input where the package has no file.
uci_set_default() {
	_uci -q show "$1" > /dev/null && return 0
	_uci import "$1"
	_uci commit "$1"
}

uci_get() { # <package> [<section> [<option> [<default>]]]
	local __text
	if __text=$(_uci -q get "$1${2:+.$2}${3:+.$3}"); then printf '%s\n' "$__text"; return 0; fi
	[ -n "$4" ] || return 1
	printf '%s\n' "$4"
}

uci_set() { _uci set "$1.$2${3:+.$3}=$4"; }
uci_add_list() { _uci add_list "$1.$2.$3=$4"; }
uci_remove_list() { _uci del_list "$1.$2.$3=$4"; }
uci_rename() { _uci rename "$1.$2${4:+.$3}=${4:-$3}"; }
uci_remove() { _uci del "$1.$2${3:+.$3}"; }
uci_revert() { _uci revert "$1${2:+.$2}${3:+.$3}"; }
uci_commit() { if [ -n "$1" ]; then _uci commit "$1"; else _uci commit; fi; }

uci_add() { # <package> <type> [<name>]: CONFIG_SECTION is its name then
	if [ -n "$3" ]; then
		_uci set "$1.$3=$2"
		CONFIG_SECTION=$3
	else
		CONFIG_SECTION=$(_uci add "$1" "$2")
	fi
}

# States: the same, kept in /var/state and never written to flash.
uci_set_state() { [ $# = 4 ] && _uci -P /var/state set "$1.$2${3:+.$3}=$4"; }
uci_get_state() {
	local __text
	__text=$(_uci -P /var/state -q get "$1${2:+.$2}${3:+.$3}") || __text=$4
	printf '%s\n' "$__text"
}
uci_revert_state() { _uci -P /var/state revert "$1${2:+.$2}${3:+.$3}"; }
uci_toggle_state() { uci_revert_state "$1" "$2" "$3"; uci_set_state "$1" "$2" "$3" "$4"; }
