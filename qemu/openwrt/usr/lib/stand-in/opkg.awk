# What opkg knows of packages: reads control texts (status, feed lists, candidates) and answers one question a call.
# Rules: opkg (openwrt/opkg-lede) as measured in our notes; version order is Debian's, with `~` before everything.
#
#   awk -f opkg.awk plan <status> <feed list>... -- <candidate>...   environment: WANTED, ARCHES, FORCE, INSTALLED_ONLY
#   awk -f opkg.awk compare <version> <operator> <version>           exit code 0 when it holds
#   awk -f opkg.awk set-status <status> <package> <new text or "">   the whole status text with that package's part replaced
#   awk -f opkg.awk dependents <status> <package>                    installed packages that need it
#   awk -f opkg.awk list <status or list>... | upgradable <status> <list>...
#   awk -f opkg.awk conffiles <status> <package>                     lines "<path> <sha256>"

BEGIN {
  verb = ARGV[1]; from = 2; result = 0; FS = "\n"
  if (verb == "compare") { if (holds(ARGV[2], ARGV[3], ARGV[4])) exit 0; exit 1 }
  if (verb == "set-status") { setStatus(ARGV[2], ARGV[3], ARGV[4]); exit 0 }
  if (verb == "conffiles") { conffiles(ARGV[2], ARGV[3]); exit 0 }
  readAll()
  if (verb == "plan") makePlan()
  else if (verb == "dependents") dependents()
  else if (verb == "list") for (i = 1; i <= records; i++) print package[i] " - " version[i]
  else if (verb == "upgradable") upgradable()
  exit result
}

# --- versions ------------------------------------------------------------------------------------------------

function rank(c) {
  if (c == "~") return -1
  if (c == "" || c ~ /[0-9]/) return 0
  if (!("A" in code)) for (codeN = 32; codeN < 127; codeN++) code[sprintf("%c", codeN)] = codeN
  return c ~ /[A-Za-z]/ ? code[c] : code[c] + 256
}

# -1, 0, 1: parts without digits by rank, parts of digits as numbers, in turn.
function compareParts(a, b,   i, ra, rb, na, nb) {
  while (a != "" || b != "") {
    for (;;) {
      ra = substr(a, 1, 1); rb = substr(b, 1, 1)
      if ((ra == "" || ra ~ /[0-9]/) && (rb == "" || rb ~ /[0-9]/)) break
      i = rank(ra) - rank(rb)
      if (i) return i < 0 ? -1 : 1
      a = substr(a, 2); b = substr(b, 2)
    }
    match(a, /^[0-9]*/); na = substr(a, 1, RLENGTH); a = substr(a, RLENGTH + 1)
    match(b, /^[0-9]*/); nb = substr(b, 1, RLENGTH); b = substr(b, RLENGTH + 1)
    sub(/^0+/, "", na); sub(/^0+/, "", nb)
    if (length(na) != length(nb)) return length(na) < length(nb) ? -1 : 1
    if (("x" na) != ("x" nb)) return ("x" na) < ("x" nb) ? -1 : 1
  }
  return 0
}

# [epoch:]upstream[-revision]; the revision begins behind the last dash.
function compareVersions(a, b,   ea, eb, ra, rb, c) {
  ea = a ~ /^[0-9]+:/ ? a + 0 : 0; sub(/^[0-9]+:/, "", a)
  eb = b ~ /^[0-9]+:/ ? b + 0 : 0; sub(/^[0-9]+:/, "", b)
  if (ea != eb) return ea < eb ? -1 : 1
  if (match(a, /-[^-]*$/)) { ra = substr(a, RSTART + 1); a = substr(a, 1, RSTART - 1) }
  if (match(b, /-[^-]*$/)) { rb = substr(b, RSTART + 1); b = substr(b, 1, RSTART - 1) }
  c = compareParts(a, b)
  return c ? c : compareParts(ra, rb)
}

function holds(a, operator, b,   c) {
  c = compareVersions(a, b)
  if (operator == "=") return c == 0
  if (operator == ">=" || operator == ">") return c >= 0
  if (operator == "<=" || operator == "<") return c <= 0
  if (operator == ">>") return c > 0
  if (operator == "<<") return c < 0
  return 0
}

# --- reading -------------------------------------------------------------------------------------------------

# Origins: "status", a feed list's path, or "local" for a file on the command line (Local-File in its text).
function readAll(   i, origin, n, arches, pair) {
  n = split(ENVIRON["ARCHES"], arches, " ")
  for (i = 1; i <= n; i++) { split(arches[i], pair, "="); priority[pair[1]] = pair[2] + 0 }
  for (i = from; i < ARGC; i++) {
    if (ARGV[i] == "--") { isLocal = 1; continue }
    if (verb == "dependents" && i > 2) { subject = ARGV[i]; continue }
    readControls(ARGV[i], i == from && verb != "list" ? "status" : isLocal ? "local" : ARGV[i])
  }
}

function readControls(file, origin,   line, key, at, text, isOpen) {
  while ((getline line < file) > 0) {
    if (line == "") { isOpen = 0; continue }
    if (line ~ /^[ \t]/) continue
    if (!isOpen) { isOpen = 1; records++; from_[records] = origin }
    at = index(line, ":"); key = tolower(substr(line, 1, at - 1)); text = substr(line, at + 1)
    sub(/^[ \t]+/, "", text); sub(/[ \t\r]+$/, "", text)
    if (key == "package") { package[records] = text; if (origin == "status") installedAs[text] = records }
    else if (key == "version") version[records] = text
    else if (key == "architecture") arch[records] = text
    else if (key == "depends" || key == "pre-depends") depends[records] = depends[records] (depends[records] == "" ? "" : ", ") text
    else if (key == "provides") provides[records] = text
    else if (key == "conflicts") conflicts[records] = text
    else if (key == "status") state[records] = text
    else if (key == "filename") filename[records] = text
    else if (key == "sha256sum") digest[records] = text
    else if (key == "local-file") filename[records] = text
  }
  close(file)
}

# Whether a record of the status text stands for a package that is there.
function isThere(r) { return state[r] ~ / (installed|unpacked)$/ }

# --- dependencies --------------------------------------------------------------------------------------------

# Does record r satisfy `name (operator version)`? A provided name has the version of its provider.
function satisfies(r, name, operator, wanted,   list, n, i) {
  if (package[r] == name) return operator == "" || holds(version[r], operator, wanted)
  n = split(provides[r], list, /[ \t]*,[ \t]*/)
  for (i = 1; i <= n; i++) {
    sub(/[ \t]*\(.*/, "", list[i]); sub(/=.*/, "", list[i])
    if (list[i] == name) return operator == "" || holds(version[r], operator, wanted)
  }
  return 0
}

# Cuts "name (op version)" into depName, depOperator, depVersion.
function cutDependency(text) {
  depOperator = depVersion = ""
  if (match(text, /\(.*\)/)) {
    depVersion = substr(text, RSTART + 1, RLENGTH - 2); text = substr(text, 1, RSTART - 1)
    gsub(/[ \t]/, "", depVersion)
    match(depVersion, /^[<>=]+/); depOperator = substr(depVersion, 1, RLENGTH); depVersion = substr(depVersion, RLENGTH + 1)
  }
  gsub(/[ \t]/, "", text)
  depName = text
}

# A record that is there or planned and satisfies the dependency; one that will be replaced does not count.
function present(name, operator, wanted,   r) {
  for (r = 1; r <= records; r++) {
    if (from_[r] == "status" ? !isThere(r) || (package[r] in planned) : planned[package[r]] != r) continue
    if (satisfies(r, name, operator, wanted)) return r
  }
  return 0
}

# The best record that could be installed: of that name before one that provides it, the highest version, the best architecture.
function candidate(name, operator, wanted,   r, best, isBetter, c) {
  for (r = 1; r <= records; r++) {
    if (from_[r] == "status" || !(arch[r] in priority) || !satisfies(r, name, operator, wanted)) continue
    if (!best) { best = r; continue }
    if (from_[best] == "local" && package[best] == name) break
    isBetter = (package[r] == name) - (package[best] == name)
    if (!isBetter && from_[r] == "local") isBetter = 1
    if (!isBetter && package[r] == package[best]) {
      c = compareVersions(version[r], version[best])
      isBetter = c ? c : priority[arch[r]] - priority[arch[best]]
    }
    if (isBetter > 0) best = r
  }
  return best
}

function complain(text) { print "error\t" text; result = 1 }

# Plans record r and, before it, what it needs.
function planRecord(r, isAuto,   list, n, i, parts, p, j, found, missing) {
  planned[package[r]] = r
  n = split(depends[r], list, /[ \t]*,[ \t]*/)
  for (i = 1; i <= n && !index(ENVIRON["FORCE"], "nodeps"); i++) {
    if (list[i] == "") continue
    p = split(list[i], parts, "|"); found = 0
    for (j = 1; j <= p && !found; j++) { cutDependency(parts[j]); found = present(depName, depOperator, depVersion) }
    for (j = 1; j <= p && !found; j++) {
      cutDependency(parts[j])
      found = candidate(depName, depOperator, depVersion)
      if (found) planDependency(found)
    }
    if (!found) missing = missing (missing == "" ? "" : ", ") list[i]
  }
  if (missing != "") {
    if (index(ENVIRON["FORCE"], "depends")) print "warning\tCannot satisfy the following dependencies for " package[r] ": " missing
    else { complain("Cannot satisfy the following dependencies for " package[r] ": " missing); return }
  }
  order[++orders] = r; isAutomatic[r] = isAuto
}

# A recursion of its own: awk's locals hold, its arrays do not.
function planDependency(r) { if (planned[package[r]] != r) planRecord(r, 1) }

function checkConflicts(r,   list, n, i, o) {
  n = split(conflicts[r], list, /[ \t]*,[ \t]*/)
  for (i = 1; i <= n; i++) {
    cutDependency(list[i])
    if (depName == "" || depName == package[r]) continue
    o = present(depName, depOperator, depVersion)
    if (o && package[o] != package[r]) complain("The following packages conflict with " package[r] ": " package[o])
  }
}

# Prints what to install in order: install <name> <version> <origin> <file> <sha256> <automatic> <installed version> <installed state>
function makePlan(   names, n, i, r, old, c, wantsAll) {
  n = split(ENVIRON["WANTED"], names, " ")
  for (i = 1; i <= n; i++) {
    r = candidate(names[i], "", "")
    old = names[i] in installedAs ? installedAs[names[i]] : 0
    if (!r) {
      if (old && isThere(old)) print "note\tPackage " names[i] " (" version[old] ") installed in root is up to date."
      else if ((c = foreign(names[i]))) complain("Package " names[i] " is incompatible with the architectures configured: it is for " arch[c] ".")
      else complain("Unknown package '" names[i] "'.")
      continue
    }
    if (old && isThere(old) && package[r] == names[i]) {
      c = compareVersions(version[r], version[old])
      if (c == 0 && state[old] ~ / installed$/ && !index(ENVIRON["FORCE"], "reinstall")) {
        print "note\tPackage " names[i] " (" version[old] ") installed in root is up to date."
        continue
      }
      if (c < 0 && !index(ENVIRON["FORCE"], "downgrade")) {
        print "note\tNot downgrading package " names[i] " on root from " version[old] " to " version[r] "."
        continue
      }
    }
    if (planned[package[r]] != r) planRecord(r, 0)
    isAutomatic[r] = 0
  }
  for (i = 1; i <= orders; i++) if (!index(ENVIRON["FORCE"], "depends")) checkConflicts(order[i])
  if (result) return
  for (i = 1; i <= orders; i++) {
    r = order[i]; old = package[r] in installedAs ? installedAs[package[r]] : 0
    printf "install\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", package[r], version[r], from_[r], filename[r], digest[r] == "" ? "-" : digest[r], \
      isAutomatic[r] ? "yes" : "no", old ? version[old] : "-", old ? state[old] : "-"
  }
}

function foreign(name,   r) {
  for (r = 1; r <= records; r++) if (from_[r] != "status" && package[r] == name) return r
  return 0
}

function dependents(   r, list, n, i, parts, p, j, found, without) {
  without = installedAs[subject]
  for (r = 1; r <= records; r++) {
    if (r == without || !isThere(r)) continue
    n = split(depends[r], list, /[ \t]*,[ \t]*/)
    for (i = 1; i <= n; i++) {
      p = split(list[i], parts, "|"); found = 0; j = 0
      while (++j <= p) { cutDependency(parts[j]); if (satisfies(without, depName, depOperator, depVersion)) found = 1 }
      if (!found) continue
      state[without] = "gone"
      for (j = 1; j <= p; j++) { cutDependency(parts[j]); if (present(depName, depOperator, depVersion)) found = 0 }
      state[without] = "install user installed"
      if (found) { print package[r]; break }
    }
  }
}

function upgradable(   name, r, old) {
  for (name in installedAs) {
    old = installedAs[name]; r = candidate(name, "", "")
    if (r && isThere(old) && package[r] == name && compareVersions(version[r], version[old]) > 0) print name " - " version[old] " - " version[r]
  }
}

# --- the status text -----------------------------------------------------------------------------------------

function setStatus(file, name, text,   line, block, isMine) {
  while ((getline line < file) > 0) {
    if (line == "") { flush(block, isMine); block = ""; isMine = 0; continue }
    if (line == "Package: " name) isMine = 1
    block = block line "\n"
  }
  flush(block, isMine)
  if (text != "") printf "%s\n\n", text
}
function flush(block, isMine) { if (block != "" && !isMine) printf "%s\n", block }

function conffiles(file, name,   line, isMine, isIn) {
  while ((getline line < file) > 0) {
    if (line == "") { isMine = isIn = 0; continue }
    if (line == "Package: " name) isMine = 1
    if (line ~ /^[^ ]/) { isIn = line ~ /^Conffiles:/; continue }
    if (isMine && isIn) print substr(line, 2)
  }
}
