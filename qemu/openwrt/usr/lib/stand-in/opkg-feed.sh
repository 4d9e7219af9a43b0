# shellcheck shell=dash disable=SC2154
# Feeds: fetching and checking their lists, and fetching a package. Part of bin/opkg.
# A list is lists_dir/<feed> with its signature in <feed>.sig, checked with opkg-key when opkg.conf says check_signature.

fetch() { # <address> <file>
	case "$1" in
		file:*) cp "${1#file:}" "$2" 2> /dev/null || cp "${1#file://}" "$2" ;;
		*) wget -q -O "$2" "$1" ;;
	esac
}

check_list() { # <list> <signature>
	[ -n "$check_signature" ] || return 0
	! is_forced signature || return 0
	IPKG_INSTROOT=$root sh "${parts%/usr/lib/stand-in}/usr/sbin/opkg-key" verify "$2" "$1"
}

update_feeds() {
	local feed kind name url bad
	for feed in $feeds; do
		kind=${feed%%=*} feed=${feed#*=}
		name=${feed%%=*} url=${feed#*=}
		if [ "$kind" = src/gz ]; then
			say "Downloading $url/Packages.gz"
			if ! fetch "$url/Packages.gz" "$work/list.gz" || ! gzip -dc "$work/list.gz" > "$work/list" 2> /dev/null; then
				complain "Failed to download the package list of $name from $url/Packages.gz."
				continue
			fi
		elif ! fetch "$url/Packages" "$work/list"; then
			complain "Failed to download the package list of $name from $url/Packages."
			continue
		fi
		rm -f "$work/list.sig"
		if [ -n "$check_signature" ]; then
			say "Downloading $url/Packages.sig"
			# As the real one: a list with a wrong signature is dropped, but only one without any makes the call fail.
			bad=''
			if ! fetch "$url/Packages.sig" "$work/list.sig"; then
				bad='Signature file download failed.'
				complain "Failed to download the signature of $name from $url/Packages.sig."
			elif ! check_list "$work/list" "$work/list.sig"; then
				bad='Signature check failed.'
			fi
			if [ -n "$bad" ]; then
				rm -f "$lists/$name" "$lists/$name.sig"
				say "$bad"
				say 'Remove wrong Signature file.'
				continue
			fi
			say 'Signature check passed.'
			mv -f "$work/list.sig" "$lists/$name.sig"
		fi
		mv -f "$work/list" "$lists/$name"
		say "Updated list of available packages in $lists/$name"
	done
}

# The lists there are, as arguments.
feed_lists() {
	local file
	for file in "$lists"/*; do
		case "$file" in *.sig | */\*) ;; *) printf '%s\n' "$file" ;; esac
	done
}

# fetch_package <list> <file in the feed> <sha256 or -> <where to>: the list is checked again, then the package's hash.
fetch_package() {
	local feed url=''
	for feed in $feeds; do
		feed=${feed#*=}
		[ "${feed%%=*}" != "${1##*/}" ] || url=${feed#*=}
	done
	[ -n "$url" ] || { complain "Feed ${1##*/} is in the lists, but not in opkg.conf."; return 1; }
	if [ -n "$check_signature" ] && ! { [ -f "$1.sig" ] && check_list "$1" "$1.sig"; }; then
		complain "Failed to verify the signature of $1."
		return 1
	fi
	say "Downloading $url/${2#./}"
	fetch "$url/${2#./}" "$4" || { complain "Failed to download ${2#./}. Perhaps you need to run 'opkg update'?"; return 1; }
	if [ "$3" != - ] && [ "$(hash_of "$4")" != "$3" ] && ! is_forced checksum; then
		complain "Checksum or size mismatch for package ${2##*/}. Either the opkg or the package index are corrupt. Try 'opkg update'."
		return 1
	fi
}
