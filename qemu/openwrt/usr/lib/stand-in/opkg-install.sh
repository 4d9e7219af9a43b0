# shellcheck shell=dash disable=SC2154,SC2015,SC2013,SC2046
# Installing and upgrading. Part of bin/opkg.
#
# Order, so that a power cut anywhere leaves a state from which the same command works again: old prerm, preinst,
# status "half-installed" with the union of old and new file lists, data, obsolete files away, control files, status
# "unpacked", postinst, status "installed". A file of a half-installed package is its own: no clash. A conffile that
# already is the new one is not the owner's work. What the version before was called is kept in Upgrading-From.

install_packages() {
	local argument wanted='' n=0
	for argument in "$@"; do
		case "$argument" in
			*/* | *.ipk)
				n=$((n + 1))
				case "$argument" in
					http:* | https:* | file:*) fetch "$argument" "$work/$n.ipk" && argument=$work/$n.ipk ;;
				esac
				read_local "$argument" "$n" || return
				wanted="$wanted $(one_field "$work/$n/control" Package)"
				;;
			*) wanted="$wanted $argument" ;;
		esac
	done
	install_wanted "$wanted"
}

upgrade_packages() {
	[ $# -gt 0 ] || {
		# shellcheck disable=SC2046
		set -- $(feed_lists | xargs awk -f "$parts/opkg.awk" upgradable "$status" | sed 's/ - .*//')
		[ $# -gt 0 ] || return 0
	}
	install_packages "$@"
}

# Makes a candidate of a file: $work/<n>/ has its control, $work/local the text for the plan.
read_local() { # <file> <n>
	[ -f "$1" ] || { complain "Couldn't find anything to satisfy '$1'."; return 1; }
	open_package "$1" "$work/$2" || return 1
	{ grep -v '^$' "$work/$2/control"; printf 'Local-File: %s\n\n' "$1"; } >> "$work/local"
}

# open_package <file> <folder>: data.tar.gz, control and scripts of an .ipk in the folder; false when it is none.
open_package() {
	[ ! -d "$2" ] || return 0
	mkdir "$2" || return 1
	gzip -dc "$1" 2> "$work/said" | tar -x -f - -C "$2" 2>> "$work/said"
	if [ ! -f "$2/control.tar.gz" ] || [ ! -f "$2/data.tar.gz" ] || [ "$(cat "$2/debian-binary" 2> /dev/null)" != 2.0 ] ||
		! tar -xzf "$2/control.tar.gz" -C "$2" 2>> "$work/said" || [ ! -f "$2/control" ] ||
		! tar -tzf "$2/data.tar.gz" > "$2/members" 2>> "$work/said"; then
		complain "Malformed package file $1.$(sed -n '1s/^/ /p' "$work/said")"
		return 1
	fi
	# Members begin with ./ and stay inside.
	if grep -qvE '^\./' "$2/members" || grep -qE '(^|/)\.\.(/|$)' "$2/members"; then
		complain "Malformed package file $1: a member lies outside of the root."
		return 1
	fi
	sed -n 's/^\.\//\//p' "$2/members" | grep -v '/$' > "$2/files"
	sed -n 's/^\.\(\/.*[^/]\)\/$/\1/p' "$2/members" > "$2/dirs"
}

install_wanted() {
	local verb name version origin file digest automatic old_version old_state
	: >> "$work/local"
	# shellcheck disable=SC2046
	WANTED=$1 know plan "$status" $(feed_lists) -- "$work/local" > "$work/plan"
	while IFS='	' read -r verb name version origin file digest automatic old_version old_state <&3; do
		case "$verb" in
			note) say "$name" ;;
			warning) say " * $name" ;;
			error) complain "$name" ;;
			install) install_one "$name" "$version" "$origin" "$file" "$digest" "$automatic" "$old_version" "$old_state" || return ;;
		esac
	done 3< "$work/plan"
}

install_one() {
	local name="$1" version="$2" origin="$3" file="$4" automatic="$6" old_version="$7" old_state="$8"
	local from package is_upgrade=0 list="$info/$1.list" conffiles
	package=$work/unpacked.$name from=''
	case "$old_state" in
		*\ half-installed) from=$(awk -v name="$name" '/^$/ { mine = 0 } $0 == "Package: " name { mine = 1 } mine && sub(/^Upgrading-From: /, "")' "$status") ;;
		-) ;;
		*) from=$old_version ;;
	esac
	[ -z "$from" ] || is_upgrade=1
	if [ "$is_upgrade" = 0 ]; then say "Installing $name ($version) to root..."
	elif [ "$version" = "$from" ]; then say "Reinstalling $name ($version) on root..."
	elif know compare "$version" '<<' "$from"; then say "Downgrading $name on root from $from to $version..."
	else say "Upgrading $name on root from $from to $version..."; fi
	if [ "$origin" != local ]; then
		fetch_package "$origin" "$file" "$5" "$work/$name.ipk" || return 1
		file=$work/$name.ipk
	fi
	open_package "$file" "$package" || return 1
	[ "$(one_field "$package/control" Package)" = "$name" ] || { complain "$file is not the package $name."; return 1; }
	check_space "$package" "$name" || return 1
	check_clashes "$package" "$name" || return 1
	[ -z "$noaction" ] || return 0
	touch "$list"
	case "$old_state" in
		*\ installed | *\ unpacked)
			run_script "$info/$name.prerm" upgrade "$version" || { complain "prerm script for package \"$name\" failed"; return 1; } ;;
	esac
	if [ "$is_upgrade" = 1 ]; then set -- upgrade "$from"; else set -- install; fi
	run_script "$package/preinst" "$@" || { complain "Aborting installation of $name."; return 1; }
	case "$old_state" in
		*\ installed | *\ unpacked)
			run_script "$info/$name.postrm" upgrade "$version" || { complain "postrm script for package \"$name\" failed"; return 1; } ;;
	esac
	know conffiles "$status" "$name" > "$work/old-conffiles"
	cp "$list" "$work/old-list"
	note_new_dirs "$package" "$name"
	cat "$package/files" "$work/old-list" | sort -u > "$list.new" && mv -f "$list.new" "$list" || return 1
	set_status "$name" "$(status_text "$package/control" half-installed "$automatic" "$(cat "$work/old-conffiles")" "${from:+Upgrading-From: $from}")" || return 1
	flush
	if ! put_data "$package" "$name"; then
		complain "Failed to extract data files for $name. Package debris may remain! $(sed -n 1p "$work/said")"
		return 1
	fi
	remove_obsolete "$package" "$name"
	conffiles=$(conffile_lines "$package")
	put_control "$package" "$name" || { complain "Failed to extract maintainer scripts for $name. Package debris may remain!"; return 1; }
	flush
	set_status "$name" "$(status_text "$package/control" unpacked "$automatic" "$conffiles" "${from:+Upgrading-From: $from}")" || return 1
	rm -rf "$package"
	configure_one "$name"
}

check_space() { # <folder> <package>
	local size free
	size=$(one_field "$1/control" Installed-Size)
	is_forced space && return 0
	[ "${size:-0}" -gt 0 ] 2> /dev/null || return 0
	size=$(((size + 1023) / 1024))
	free=$(df -Pk "$root/" 2> /dev/null | awk 'NR == 2 { print $4 }')
	# Nothing is said of a root that is no mount of its own (a chroot).
	[ -n "$free" ] && [ "$size" -ge "$free" ] || return 0
	complain "Only have ${free}kb available on filesystem $root/, pkg $2 needs $size"
	return 1
}

# A file that is there must be this package's, or nobody's and a conffile; else two packages would own one file.
check_clashes() { # <folder> <package>
	local file owner clashes=0
	is_forced overwrite && return 0
	owners "$1/files" > "$work/owners"
	while IFS='	' read -r file owner; do
		if [ "$owner" = "$2" ] || { [ ! -e "$root$file" ] && [ ! -L "$root$file" ]; }; then continue; fi
		[ ! -d "$root$file" ] || [ -L "$root$file" ] || continue
		if [ "$owner" = - ]; then
			! grep -qxF "$file" "$1/conffiles" 2> /dev/null || continue
			owner='<no package> Please move this file out of the way and try again.'
		fi
		complain "Package $2 wants to install file $root$file But that file is already provided by package $owner"
		clashes=1
	done < "$work/owners"
	return $clashes
}

# Folders that do not exist yet are this package's to remove again.
note_new_dirs() { # <folder> <package>
	local dir
	while read -r dir; do
		[ -d "$root$dir" ] || printf '%s\n' "$dir"
	done < "$1/dirs" > "$work/new-dirs"
	cat "$work/new-dirs" "$info/$2.dirs" 2> /dev/null | sort -u > "$work/dirs"
	[ ! -s "$work/dirs" ] || cp "$work/dirs" "$info/$2.dirs"
}

member() { tar -xzOf "$1/data.tar.gz" ".$2"; }

# Unpacks the data; a conffile that the owner changed stays, and the new one goes beside it as <file>-opkg.
put_data() { # <folder> <package>
	local file delivered old now
	: > "$1/kept"
	[ ! -f "$1/conffiles" ] || while read -r file; do
		[ -n "$file" ] && grep -qxF "$file" "$1/files" || continue
		delivered=$(member "$1" "$file" | sha256sum) delivered=${delivered%% *}
		printf ' %s %s\n' "$file" "$delivered" >> "$1/conffile-lines"
		[ -f "$root$file" ] || continue
		now=$(hash_of "$root$file")
		old=$(awk -v file="$file" '$1 == file { print $2 }' "$work/old-conffiles")
		if [ "$now" = "$delivered" ] || [ "$now" = "$old" ] || is_forced maintainer; then continue; fi
		complain_kept "$root$file"
		printf '.%s\n' "$file" >> "$1/kept"
		member "$1" "$file" > "$work/conffile" && cp "$work/conffile" "$root$file-opkg" || return 1
	done < "$1/conffiles"
	if [ ! -s "$1/kept" ]; then tar -xzf "$1/data.tar.gz" -C "$root/" 2> "$work/said"; return; fi
	# This tar knows no list of what to leave out: named are the others.
	while read -r file; do mkdir -p "$root$file"; done < "$1/dirs"
	(
		set -f
		IFS='
'
		tar -xzf "$1/data.tar.gz" -C "$root/" $(sed 's/^/./' "$1/files" | grep -vxFf "$1/kept") 2> "$work/said"
	)
}

# Said as opkg says it, but no error: the call goes well.
complain_kept() {
	printf '%s\n' "Existing conffile $1 is different from the conffile in the new package. The new conffile will be placed at $1-opkg." >&2
}

conffile_lines() { [ ! -f "$1/conffile-lines" ] || cat "$1/conffile-lines"; }

# What the version before had and this one has not; a changed conffile stays.
remove_obsolete() { # <folder> <package>
	local file owner
	sort "$1/files" "$1/files" "$work/old-list" | uniq -u > "$work/obsolete"
	owners "$work/obsolete" > "$work/owners"
	while IFS='	' read -r file owner; do
		[ "$owner" = "$2" ] || continue
		! is_changed_conffile "$file" "$work/old-conffiles" || continue
		inform "Removing obsolete file $root$file."
		rm -f "$root$file"
	done < "$work/owners"
}

# info/<package>.*: the new control and scripts, none of the old ones that are no more, and the list of its files.
put_control() { # <folder> <package>
	local file part
	for file in "$info/$2".*; do
		part=${file##*/} part=${part#"$2".}
		case "$part" in list | dirs) continue ;; esac
		[ -f "$1/$part" ] || rm -f "$file"
	done
	for file in "$1"/*; do
		part=${file##*/}
		case "$part" in
			debian-binary | *.tar.gz | members | files | dirs | kept | conffile-lines) continue ;;
		esac
		cp -p "$file" "$info/$2.$part" || return 1
	done
	cp "$1/files" "$info/$2.list.new" && mv -f "$info/$2.list.new" "$info/$2.list"
}

configure_packages() {
	local name
	for name in $(awk '/^Package: / { name = $2 } /^Status: .* unpacked$/ { print name }' "$status"); do
		case " ${*:-$name} " in *" $name "*) configure_one "$name" ;; esac
	done
}

configure_one() { # <package>
	local text is_upgrade=0 result
	if [ -n "$root" ] && ! is_forced postinstall; then mark_installed "$1"; return; fi
	say "Configuring $1."
	text=$(part_of_status "$1")
	case "$text" in *"
Upgrading-From: "*) is_upgrade=1 ;; esac
	run_script "$info/$1.postinst" configure
	result=$?
	if [ "$result" != 0 ]; then complain "pkg_run_script: package \"$1\" postinst script returned status $result."; return 1; fi
	mark_installed "$1"
}

part_of_status() {
	awk -v name="$1" '/^$/ { mine = 0 } $0 == "Package: " name { mine = 1 } mine' "$status"
}

mark_installed() {
	set_status "$1" "$(part_of_status "$1" | sed '/^Upgrading-From:/d; /^Status:/s/ [a-z-]*$/ installed/')"
}
