#!/bin/sh
# Lays a package's files out as files.list says; the OpenWrt SDK installs with it. The form of the list is described in
# scripts/package/manifest.ts of the repository, which reads the same list for `make ipk`.
# usage: lay-out.sh LIST PACKAGE_FOLDER DIST_FOLDER DESTINATION
set -eu
[ $# = 4 ] || { echo "usage: lay-out.sh LIST PACKAGE_FOLDER DIST_FOLDER DESTINATION" >&2; exit 2; }
list=$1 package=$2 dist=$3 root=$4

umask 022
grep -v '^[[:space:]]*#' "$list" | while read -r mode kind source destination rest; do
	[ -n "$mode" ] || continue
	if [ -z "$destination" ] || [ -n "$rest" ]; then
		echo "lay-out: $list: '$mode $kind $source': expected 'mode kind source destination'" >&2
		exit 1
	fi
	case "$source" in
		dist/*) from="$dist/${source#dist/}" ;;
		*) from="$package/$source" ;;
	esac
	mkdir -p "$root${destination%/*}"
	case "$kind" in
		file | conf)
			cp "$from" "$root$destination"
			chmod "$mode" "$root$destination"
			;;
		tree)
			[ -n "$(find "$from" -type f)" ] || { echo "lay-out: $from is empty" >&2; exit 1; }
			(cd "$from" && find . -type f) | while read -r file; do
				file=${file#./}
				mkdir -p "$(dirname "$root$destination/$file")"
				cp "$from/$file" "$root$destination/$file"
				chmod "$mode" "$root$destination/$file"
			done
			;;
		dir)
			mkdir -p "$root$destination"
			chmod "$mode" "$root$destination"
			;;
		link) ln -s "$source" "$root$destination" ;;
		*)
			echo "lay-out: $list: kind '$kind'; allowed: file, conf, tree, dir, link" >&2
			exit 1
			;;
	esac
done
