# shellcheck shell=dash
# shellcheck disable=SC2034,SC2013
# What OpenWrt's scripts expect from /lib/functions.sh, of the stand-in: configuration in shell variables, lists,
# users and groups, and what every package does after it was unpacked and before it goes (openwrt/openwrt,
# package/base-files: the names and what they do are its; this text is ours). Runs in busybox ash and in dash.

N='
'
NO_EXPORT=1
LOAD_STATE=1
LIST_SEP=' '

debug() { ${DEBUG:-:} "$@"; }

# append <variable> <text> [<separator>]
append() { eval "$1=\"\${$1:+\${$1}\${2:+\${3:- }}}\$2\""; }

prepend() { eval "$1=\"\$2\${$1:+\${3:- }\${$1}}\""; }

# list_contains <variable> <word>
list_contains() {
	local words
	eval "words=\" \${$1} \""
	case "$words" in
		*" $2 "*) return 0 ;;
	esac
	return 1
}

# --- configuration -------------------------------------------------------------------------------------------
# config_load reads a package into CONFIG_<section>_<option>. A list is there joined with LIST_SEP, and item by item
# as CONFIG_<section>_<list>_ITEM<n> with ..._LENGTH. CONFIG_SECTIONS has the names in the order of the file.

config_load() {
	[ -n "$IPKG_INSTROOT" ] || uci_load "$@"
}

reset_cb() {
	config_cb() { :; }
	option_cb() { :; }
	list_cb() { :; }
}
reset_cb

# package, config, option and list are the words of `uci export`, whose text uci_load runs.
package() { :; }

config() {
	CONFIG_NUM_SECTIONS=$((CONFIG_NUM_SECTIONS + 1))
	CONFIG_SECTION=${2:-cfg$CONFIG_NUM_SECTIONS}
	CONFIG_SECTIONS="$CONFIG_SECTIONS${CONFIG_SECTIONS:+ }$CONFIG_SECTION"
	eval "CONFIG_${CONFIG_SECTION}_TYPE=\$1"
	[ -n "$NO_CALLBACK" ] || config_cb "$1" "$CONFIG_SECTION"
}

option() {
	eval "CONFIG_${CONFIG_SECTION}_$1=\$2"
	[ -n "$NO_CALLBACK" ] || option_cb "$1" "$2"
}

list() {
	local length
	eval "length=\${CONFIG_${CONFIG_SECTION}_${1}_LENGTH:-0}"
	[ "$length" != 0 ] || append CONFIG_LIST_STATE "${CONFIG_SECTION}_$1"
	length=$((length + 1))
	eval "CONFIG_${CONFIG_SECTION}_${1}_ITEM$length=\$2; CONFIG_${CONFIG_SECTION}_${1}_LENGTH=\$length"
	append "CONFIG_${CONFIG_SECTION}_$1" "$2" "$LIST_SEP"
	[ -n "$NO_CALLBACK" ] || list_cb "$1" "$2"
}

config_set() { eval "CONFIG_${1}_$2=\$3"; }
config_unset() { eval "CONFIG_${1}_$2="; }

# config_get <variable> <section> <option> [<default>], or config_get <section> <option> to standard output
config_get() {
	case "$2${3:-$1}" in
		*[!A-Za-z0-9_]*) return 0 ;;
	esac
	if [ -n "$3" ]; then
		eval "$1=\${CONFIG_${2}_$3:-\$4}"
	else
		eval "printf '%s\n' \"\${CONFIG_${1}_$2}\""
	fi
}

get_bool() {
	case "$1" in
		1 | on | true | yes | enabled) printf 1 ;;
		0 | off | false | no | disabled) printf 0 ;;
		*) printf '%s' "$2" ;;
	esac
}

# config_get_bool <variable> <section> <option> [<default>]: 1, 0, or the default for anything else
config_get_bool() {
	config_get "$1" "$2" "$3" "$4"
	eval "set -- \"\$1\" \"\$$1\" \"\$4\""
	case "$2" in
		1 | on | true | yes | enabled) eval "$1=1" ;;
		0 | off | false | no | disabled) eval "$1=0" ;;
		*) eval "$1=\$3" ;;
	esac
}

# config_foreach <function> [<type> [<argument>...]]: calls it with the name of each section and the arguments
config_foreach() {
	local __function="$1" __wanted="$2" section cfgtype
	shift
	[ $# = 0 ] || shift
	for section in $CONFIG_SECTIONS; do
		eval "cfgtype=\$CONFIG_${section}_TYPE"
		[ -z "$__wanted" ] || [ "$cfgtype" = "$__wanted" ] || continue
		"$__function" "$section" "$@"
	done
}

# config_list_foreach <section> <list> <function> [<argument>...]: calls it with each item and the arguments
config_list_foreach() {
	[ $# -ge 3 ] || return 0
	local __section="$1" __option="$2" __function="$3" __item __length __n=1
	shift 3
	config_get __length "$__section" "${__option}_LENGTH" 0
	while [ "$__n" -le "$__length" ]; do
		config_get __item "$__section" "${__option}_ITEM$__n"
		"$__function" "$__item" "$@"
		__n=$((__n + 1))
	done
}

# --- users and groups: /etc/passwd, /etc/group and /etc/shadow of the root that is worked on --------------------

group_exists() { grep -qs "^$1:" "$IPKG_INSTROOT/etc/group"; }
user_exists() { grep -qs "^$1:" "$IPKG_INSTROOT/etc/passwd"; }

# The first number from 32768 that the file (passwd or group) does not have.
_free_id() {
	awk -F: '{ used[$3] } END { for (n = 32768; n in used; n++); print n }' "$IPKG_INSTROOT/etc/$1"
}

group_add() {
	[ -f "$IPKG_INSTROOT/etc/group" ] || return 1
	printf '%s:x:%s:\n' "$1" "$2" >> "$IPKG_INSTROOT/etc/group"
}

group_add_next() {
	local gid
	gid=$(awk -F: -v name="$1" '$1 == name { print $3; exit }' "$IPKG_INSTROOT/etc/group")
	if [ -z "$gid" ]; then
		gid=$(_free_id group)
		group_add "$1" "$gid"
	fi
	printf '%s\n' "$gid"
}

group_add_user() {
	local file="$IPKG_INSTROOT/etc/group"
	awk -F: -v OFS=: -v group="$1" -v user="$2" '
		$1 == group && index("," $4 ",", "," user ",") == 0 { $4 = $4 ($4 == "" ? "" : ",") user }
		{ print }' "$file" > "$file.new.$$" && mv -f "$file.new.$$" "$file"
}

# user_add <name> [<uid> [<gid> [<description> [<home> [<shell>]]]]]
user_add() {
	local uid="$2"
	[ -f "$IPKG_INSTROOT/etc/passwd" ] || return 1
	[ -n "$uid" ] || uid=$(_free_id passwd)
	printf '%s:x:%s:%s:%s:%s:%s\n' "$1" "$uid" "${3:-$uid}" "${4:-$1}" "${5:-/var/run/$1}" "${6:-/bin/false}" >> "$IPKG_INSTROOT/etc/passwd"
	printf '%s:x:0:0:99999:7:::\n' "$1" >> "$IPKG_INSTROOT/etc/shadow"
}

# The users a package's control names: Require-User: user=uid:group=gid[:more,groups] ...
add_group_and_user() {
	local pkgname="${pkgname:-$1}" tuple user uid group gid more one
	for tuple in $(sed -n 's/^Require-User: *//p' "$IPKG_INSTROOT/usr/lib/opkg/info/$pkgname.control" 2> /dev/null); do
		# shellcheck disable=SC2046  # three words, cut apart at the colons
		set -- $(printf '%s\n' "$tuple" | awk -F: '{ print ($1 == "" ? "=" : $1), ($2 == "" ? "=" : $2), $3 }')
		user=${1%%=*} group=${2%%=*} more=$3 uid='' gid=''
		case "$1" in *=?*) uid=${1#*=} ;; esac
		case "$2" in *=?*) gid=${2#*=} ;; esac
		if [ -n "$group" ] && [ -n "$gid" ]; then
			group_exists "$group" || group_add "$group" "$gid"
		elif [ -n "$group" ]; then
			gid=$(group_add_next "$group")
		fi
		[ -z "$user" ] || user_exists "$user" || user_add "$user" "$uid" "$gid"
		[ -z "$user" ] || [ -z "$group" ] || group_add_user "$group" "$user"
		[ -n "$user" ] || continue
		for one in $(printf '%s' "$more" | tr , ' '); do
			case "$one" in
				*=?*) group_exists "${one%%=*}" || group_add "${one%%=*}" "${one#*=}" ;;
				*) group_add_next "$one" > /dev/null ;;
			esac
			group_add_user "${one%%=*}" "$user"
		done
	done
}

# --- packages ------------------------------------------------------------------------------------------------

# What a package's own script says (<package>.postinst-pkg), in a shell of its own, so that it may `exit`.
_run_package_script() {
	[ -f "$1" ] || return 0
	# shellcheck disable=SC1090
	(. "$1")
}

# default_postinst <path of the script> [<arguments of opkg>]
default_postinst() {
	local root="$IPKG_INSTROOT" pkgname="${pkgname:-}" list result file name
	if [ -z "$pkgname" ]; then name=${1##*/}; pkgname=${name%.*}; fi
	list="$root/usr/lib/opkg/info/$pkgname.list"
	[ ! -e "$list" ] || add_group_and_user "$pkgname"
	if [ -z "$root" ]; then
		if grep -qs '^/etc/modules.d/' "$list" && command -v kmodloader > /dev/null; then kmodloader; fi
		if grep -qs '^/etc/sysctl.d/' "$list" && [ -x /etc/init.d/sysctl ]; then /etc/init.d/sysctl restart; fi
		if grep -qs '^/etc/uci-defaults/' "$list"; then
			mkdir -p /tmp/.uci
			for file in $(grep '^/etc/uci-defaults/' "$list"); do
				# shellcheck disable=SC1090
				if [ -f "$file" ] && (cd "${file%/*}" && . "$file"); then rm -f "$file"; fi
			done
			uci commit
		fi
		rm -f /tmp/luci-indexcache.*
	fi
	_run_package_script "$root/usr/lib/opkg/info/$pkgname.postinst-pkg"
	result=$?
	for file in $(grep -s '^/etc/init.d/' "$list"); do
		if [ -n "$root" ]; then
			/bin/sh "$root/etc/rc.common" "$root$file" enable
			continue
		fi
		[ "$PKG_UPGRADE" = 1 ] || "$file" enable
		"$file" start
	done
	return $result
}

# default_prerm <path of the script> [<arguments of opkg>]
default_prerm() {
	local root="$IPKG_INSTROOT" pkgname="${pkgname:-}" list result file name
	if [ -z "$pkgname" ]; then name=${1##*/}; pkgname=${name%.*}; fi
	list="$root/usr/lib/opkg/info/$pkgname.list"
	_run_package_script "$root/usr/lib/opkg/info/$pkgname.prerm-pkg"
	result=$?
	for file in $(grep -s '^/etc/init.d/' "$list"); do
		if [ -n "$root" ]; then
			/bin/sh "$root/etc/rc.common" "$root$file" disable
			continue
		fi
		[ "$PKG_UPGRADE" = 1 ] || "$file" disable
		"$file" stop
	done
	return $result
}

# --- the rest ------------------------------------------------------------------------------------------------

# Runs every *.sh of a folder in this shell.
include() {
	local file
	for file in "$1"/*.sh; do
		# shellcheck disable=SC1090
		[ ! -f "$file" ] || . "$file"
	done
}

board_name() {
	if [ -e /tmp/sysinfo/board_name ]; then cat /tmp/sysinfo/board_name; else echo generic; fi
}

# What the kernel's command line says behind <name>=.
cmdline_get_var() {
	local word
	# shellcheck disable=SC2013  # words, not lines
	for word in $(cat /proc/cmdline); do
		case "$word" in "$1"=*) printf '%s\n' "${word#*=}" ;; esac
	done
}

# shellcheck source=/dev/null
if [ -z "$IPKG_INSTROOT" ] && [ -f /lib/config/uci.sh ]; then . /lib/config/uci.sh; fi
