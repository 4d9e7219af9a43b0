# shellcheck shell=dash disable=SC2154,SC2015,SC2013,SC2034
# Removing. Part of bin/opkg. A conffile that the owner changed stays; what another package needs is not removed.

remove_packages() {
	local name pattern found
	for pattern in "$@"; do
		found=''
		for name in $(awk '/^Package: / { print $2 }' "$status"); do
			# shellcheck disable=SC2254  # a pattern on purpose
			case "$name" in $pattern) found=1; remove_one "$name" ;; esac
		done
		[ -n "$found" ] || say "No packages removed."
	done
}

remove_one() { # <package>
	local is_upgrade=0 needed one dependencies
	needed=$(know dependents "$status" "$1")
	if [ -n "$needed" ] && ! is_forced depends; then
		if ! is_forced removal-of-dependent-packages; then
			complain "Package $1 is depended upon by packages: $(printf '%s' "$needed" | tr '\n' ' '). These might cease to work if package $1 is removed. Force removal of this package with --force-depends. Force removal of this package and its dependents with --force-removal-of-dependent-packages."
			return 1
		fi
		for one in $needed; do remove_one "$one" || return 1; done
	fi
	if grep -q '^Essential: yes' "$info/$1.control" 2> /dev/null && ! is_forced removal-of-essential-packages; then
		complain "Refusing to remove essential package $1."
		return 1
	fi
	say "Removing package $1 from root..."
	[ -z "$noaction" ] || return 0
	if ! run_script "$info/$1.prerm" remove && ! is_forced remove; then
		complain "not removing package \"$1\", prerm script failed"
		return 1
	fi
	dependencies=$(awk -v name="$1" '/^$/ { mine = 0 } $0 == "Package: " name { mine = 1 } mine && sub(/^Depends: /, "") { gsub(/\([^)]*\)|,|\|/, " "); print }' "$status")
	remove_files "$1"
	run_script "$info/$1.postrm" remove || complain "postrm script of package \"$1\" failed"
	for one in "$info/$1".*; do
		# Another package's name may go on with a dot.
		case "${one##*/}" in "$1".*.*) ;; *) rm -f "$one" ;; esac
	done
	set_status "$1" '' || return 1
	flush
	[ -n "$autoremove" ] || return 0
	for one in $dependencies; do
		part_is_automatic "$one" && [ -z "$(know dependents "$status" "$one")" ] || continue
		say "$one was autoinstalled and is now orphaned, removing."
		remove_one "$one"
	done
}

part_is_automatic() {
	awk -v name="$1" '/^$/ { mine = 0 } $0 == "Package: " name { mine = 1 } mine && /^Auto-Installed: yes/ { found = 1 } END { exit !found }' "$status"
}

remove_files() { # <package>
	local file owner
	know conffiles "$status" "$1" > "$work/conffiles"
	[ -f "$info/$1.list" ] || return 0
	owners "$info/$1.list" > "$work/owners"
	while IFS='	' read -r file owner; do
		[ "$owner" = "$1" ] || continue
		if is_changed_conffile "$file" "$work/conffiles"; then
			say "Not deleting modified conffile $root$file."
			continue
		fi
		inform "Deleting $root$file."
		rm -f "$root$file"
	done < "$work/owners"
	remove_empty_dirs "$info/$1.dirs"
}
