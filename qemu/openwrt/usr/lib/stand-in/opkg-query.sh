# shellcheck shell=dash disable=SC2154,SC2013
# Questions that change nothing. Part of bin/opkg.

query() {
	local command="$1" name list
	shift
	case "$command" in
		list-installed) know list "$status" | sort | matching "$@" ;;
		list)
			# shellcheck disable=SC2046
			know list "$status" $(all_lists) | sort -u | matching "$@"
			;;
		list-upgradable)
			# shellcheck disable=SC2046
			know upgradable "$status" $(all_lists) | sort
			;;
		list-changed-conffiles) changed_conffiles ;;
		status) show_parts "${1:-*}" "$status" ;;
		info)
			# shellcheck disable=SC2046
			show_parts "${1:-*}" "$status" $(all_lists)
			;;
		files)
			for name in "$@"; do
				[ -f "$info/$name.list" ] || { complain "Package $name not installed."; continue; }
				list=$(know list "$status" | sed -n "s/^$name - //p")
				say "Package $name ($list) is installed on root and has the following files:"
				sed "s|^|$root|" "$info/$name.list"
			done
			;;
		search)
			for list in "$info"/*.list; do
				grep -qxF "${1#"$root"}" "$list" || continue
				name=${list##*/}
				know list "$status" | grep "^${name%.list} - "
			done
			;;
		print-architecture) for name in $ARCHES; do say "arch ${name%=*} ${name#*=}"; done ;;
		compare-versions) know compare "$@" || exit 1 ;;
		*) complain "unknown command $command"; exit 255 ;;
	esac
}

all_lists() {
	local file
	for file in "$lists"/*; do case "$file" in *.sig | */\*) ;; *) printf '%s\n' "$file" ;; esac; done
}

matching() {
	local line
	while IFS= read -r line; do
		# shellcheck disable=SC2254
		case "${line%% - *}" in ${1:-*}) printf '%s\n' "$line" ;; esac
	done
}

# The parts of package <pattern> in some control texts. Those of one version become one: the first, and what the others
# have besides.
show_parts() {
	local pattern="$1"
	shift
	pattern=$(printf '%s' "$pattern" | sed 's/[.+]/[&]/g; s/\*/.*/g; s/?/./g')
	awk -v pattern="^$pattern\$" '
		function end(   id) {
			id = name " " version
			if (name ~ pattern) {
				if (!(id in text)) order[++n] = id
				text[id] = text[id] part
			}
			name = version = part = ""
		}
		FNR == 1 { end() }
		/^$/ { end(); next }
		/^Package:/ { name = $2 }
		/^Version:/ { version = $2 }
		{ # A field in more than one line is taken with its first one.
			if ($0 !~ /^[ \t]/) field = $1
			lines[++count] = $0; part = part field SUBSEP $0 "\n"
		}
		END {
			end()
			for (i = 1; i <= n; i++) {
				split("", seen)
				m = split(text[order[i]], line, "\n")
				for (j = 1; j < m; j++) {
					split(line[j], word, SUBSEP)
					if (line[j] !~ (SUBSEP "[ \t]")) { isTaken = !(word[1] in seen); seen[word[1]] }
					if (isTaken) print word[2]
				}
				print ""
			}
		}' "$@"
}

changed_conffiles() {
	local name file delivered
	for name in $(awk '/^Package: / { print $2 }' "$status"); do
		know conffiles "$status" "$name" | while read -r file delivered; do
			[ ! -f "$root$file" ] || [ "$(hash_of "$root$file")" = "$delivered" ] || say "$file"
		done
	done
}
