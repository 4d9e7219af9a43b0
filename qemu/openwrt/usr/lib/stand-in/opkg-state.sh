# shellcheck shell=dash disable=SC2154,SC2046
# What opkg keeps (usr/lib/opkg/status and info/<package>.*), and running a package's scripts. Part of bin/opkg.
# Every change is written beside the file, flushed, and moved over it: a power cut leaves the old or the new text.

# The part of the status text that is one package's. set_status <package> <text>; an empty text takes it out.
set_status() {
	local how='conv=fsync'
	[ -z "$root" ] || how='bs=4096' # an offline root has no power to lose
	if { know set-status "$status" "$1" "$2" && echo end; } > "$work/status.text" && [ "$(tail -n 1 "$work/status.text")" = end ] &&
		sed '$d' "$work/status.text" | dd "of=$status.new" "$how" 2> /dev/null && mv -f "$status.new" "$status"; then
		return 0
	fi
	rm -f "$status.new"
	complain "Could not write $status; is the disk full?"
	return 1
}

# one_field <file> <field>
one_field() { sed -n "s/^$2:[ 	]*//p" "$1" | head -n 1; }

# The text for set_status: fields of the control, the state, conffiles with the hashes of what was delivered.
status_text() { # <control> <state> <automatic> <conffile lines> [<more fields>]
	awk -F: '/^(Package|Version|Depends|Provides|Conflicts|Architecture|Essential):/' "$1"
	printf 'Status: install %s %s\n' "$([ "$3" = yes ] && echo ok || echo user)" "$2"
	[ "$3" != yes ] || echo 'Auto-Installed: yes'
	[ -z "$5" ] || printf '%s\n' "$5"
	printf 'Installed-Time: %s\n' "$(date +%s)"
	[ -z "$4" ] || printf 'Conffiles:\n%s' "$4"
}

hash_of() {
	local text
	text=$(sha256sum "$1" 2> /dev/null) || return 1
	printf '%s\n' "${text%% *}"
}

# run_script <file> <argument>...: what does not exist is fine. Offline only when forced, with the root in IPKG_INSTROOT.
run_script() {
	local script="$1"
	shift
	[ -f "$script" ] || return 0
	if [ -n "$root" ] && ! is_forced postinstall; then
		inform "Offline root mode: not running ${script##*/}."
		return 0
	fi
	inform "Running script $script."
	PKG_ROOT="$root/" PKG_UPGRADE=$is_upgrade IPKG_INSTROOT=$root "$script" "$@"
}

# Flushes what was written to the root; an offline root has no power to lose.
flush() { [ -n "$root" ] || sync; }

# owners <file of names>: lines "<name> <tab> <package>" with the package whose list has it, "-" for none. Of a name that
# several lists have (a package forced over another) the one whose list is older counts, so that removing the newer
# leaves it.
owners() {
	local names="$1"
	set --
	for file in "$info"/*.list; do [ ! -f "$file" ] || set -- "$@" "$file"; done
	[ $# = 0 ] || set -- $(ls -rt "$@")
	awk -v names="$names" '
		BEGIN { while ((getline line < names) > 0) { wanted[line]; order[++n] = line }; close(names) }
		FNR == 1 { owner = FILENAME; sub(/.*\//, "", owner); sub(/\.list$/, "", owner) }
		$0 in wanted && !($0 in of) { of[$0] = owner }
		END { for (i = 1; i <= n; i++) print order[i] "\t" (order[i] in of ? of[order[i]] : "-") }' "$@" < /dev/null
}

# is_changed_conffile <file> <lines of conffiles>: it is one, it is there, and it is not as it was delivered.
is_changed_conffile() {
	local delivered
	delivered=$(awk -v file="$1" '$1 == file { print $2 }' "$2")
	[ -n "$delivered" ] && [ -f "$root$1" ] && [ "$(hash_of "$root$1")" != "$delivered" ]
}

# Removes the folders that are left empty of those a package made (info/<package>.dirs), deepest first.
remove_empty_dirs() {
	local dir
	[ -f "$1" ] || return 0
	sort -r "$1" | while read -r dir; do rmdir "$root$dir" 2> /dev/null; done
	return 0
}
