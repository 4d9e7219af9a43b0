# The command line of uci: options, where files lie, staging, and one function per command. The package itself is in
# uci-model.awk. Exit codes are the real ones: 0, 1 failed, 255 used wrongly.

BEGIN {
  configDir = "/etc/config"; saveDir = "/tmp/.uci"; delimiter = " "; extraDirs = 0
  for (i = 1; i < ARGC && ARGV[i] ~ /^-./; i++) {
    if (ARGV[i] == "--") { i++; break }
    for (flags = substr(ARGV[i], 2); flags != ""; flags = substr(flags, 2)) {
      flag = substr(flags, 1, 1)
      if (index("cCdfpPt", flag)) {
        operand = substr(flags, 2)
        if (operand == "") operand = ARGV[++i]
        if (flag == "c") configDir = operand
        else if (flag == "d") delimiter = operand
        else if (flag == "f") { inputFile = operand; source = operand }
        else if (flag == "p") extraDir[++extraDirs] = operand
        else if (flag == "P") { extraDir[++extraDirs] = saveDir; saveDir = operand; isUncommitted = 1 }
        else if (flag == "t") saveDir = operand
        break
      }
      if (flag == "m") isMerge = 1
      else if (flag == "n") isNaming = 1
      else if (flag == "N") isNaming = 0
      else if (flag == "q") isQuiet = 1
      else if (flag == "X") isPlain = 1
      else if (!index("sSL", flag)) { usage(); exit 0 }
    }
  }
  if (i >= ARGC) { usage(); exit 0 }
  for (count = 0; i < ARGC; i++) argument[++count] = ARGV[i]
  ARGC = 1 # what is read without a name is standard input
  status = tolower(argument[1]) == "batch" ? batch() : command()
  if (status == 255) usage()
  exit status
}

function usage() {
  warn("Usage: uci [<options>] <command> [<arguments>]\n" \
       "Commands: batch, export, import, changes, commit, add, add_list, del_list, show, get, set, delete, rename, revert, reorder\n" \
       "Options: -c <configuration directory> -t <save directory> -p|-P <directory of changes> -d <list delimiter>\n" \
       "         -f <input file> -m merge on import -n|-N name unnamed sections on export or not -q quiet -X plain names in show")
}

function warn(text) { print text > "/dev/stderr" }

# Says what went wrong, unless -q; a command ends with its result.
function failed() { if (!isQuiet) warn("uci: " problem); problem = ""; return 1 }
function fail(text) { problem = text; return failed() }

function command(   verb, result) {
  verb = tolower(argument[1]); problem = ""; staged = ""; target = ""
  if (verb == "help") { usage(); return 0 }
  if (verb == "del") verb = "delete"
  if (verb == "ren") verb = "rename"
  if (index(" show export changes commit ", " " verb " ")) return count > 2 ? 255 : onPackages(verb)
  if (verb == "import") return importText()
  if (verb == "add") return addCommand()
  if (!index(" get set delete rename revert reorder add_list del_list ", " " verb " ") || count != 2) return 255
  result = onElement(verb, argument[2])
  if (result == 0 && staged != "") result = save()
  return result
}

# Commands from standard input or -f, one a line, words quoted as in a file. What failed is said; the next one runs.
function batch(   i, result) {
  while (nextLine()) {
    if (!cutWords(lineText)) { failed(); continue }
    if (words == 0) continue
    if (tolower(word[1]) == "exit") return 0
    for (i = count = 0; i < words; i++) if (!isEnd[i + 1]) argument[++count] = word[i + 1]
    result = tolower(argument[1]) == "batch" ? 255 : command()
    source = inputFile
    if (result == 255 && !isQuiet) warn("Unknown command")
  }
  return 0
}

# --- where a package lies ------------------------------------------------------------------------------------

# Loads a package with all that is staged for it. One that is loaded already (in a batch) is as it would be read.
function load(package,   d) {
  if (P == package && isLoaded) return 1
  isLoaded = 0
  if (package !~ /^[A-Za-z0-9_-]+$/) { problem = "Invalid argument"; return 0 }
  if (!loadFile(package)) return 0
  for (d = 1; d <= extraDirs; d++) applyStaged(extraDir[d] "/" package)
  split("", change); changes = applyStaged(saveDir "/" package)
  isLoaded = 1
  return 1
}

function loadFile(package) {
  forget(); P = package
  source = configDir "/" package
  if (!readText(1, 0)) { if (problem == "") problem = "Entry not found"; forget() }
  else P = package
  close(source); source = inputFile
  return problem == ""
}

# Applies the staged changes of a file; what cannot be understood or has lost its section is passed over, as libuci does.
function applyStaged(file,   done, sign, text) {
  source = file; isStaging = 0; lineNumber = 0; done = 0
  while (nextLine()) {
    if (!cutWords(lineText) || words == 0) { problem = ""; continue }
    sign = substr(word[1], 1, 1); text = word[1]
    if (index("^-@+|~", sign)) text = substr(text, 2); else sign = ""
    if (!cutTarget(text)) { problem = ""; continue }
    change[++done] = sign; changeTarget[done] = partSection (hasOption ? "." partOption : ""); changeText[done] = partText
    findTarget()
    applyChange(sign)
    problem = ""
  }
  close(file); source = inputFile
  return done
}

function applyChange(sign,   isNew) {
  if (sign == "^") { if (targetId) moveSection(targetId, partText + 0) }
  else if (sign == "@") rename()
  else if (sign == "-") remove()
  else if (sign == "|") { if (targetId && hasOption) addItem(targetId, partOption, partText) }
  else if (sign == "~") { if (targetId && hasOption) removeItems(targetId, partOption, partText) }
  else {
    isNew = !targetId
    assign()
    if (sign == "+" && isNew && (partSection in idOf)) anonymous[idOf[partSection]] = 1
  }
}

# Writes what this call changed behind what is staged already.
function save() {
  if (saveDir != "/tmp/.uci") system("mkdir -p " quoted(saveDir))
  printf "%s", staged >> (saveDir "/" P)
  close(saveDir "/" P)
  staged = ""
  return 0
}

# Puts the text of the loaded package in place: beside the file, on disk, then over it. Mode and owner stay.
function writeFile(   file, temporary, shell) {
  file = quoted(configDir "/" P); temporary = quoted(configDir "/." P ".uci-" ENVIRON["UCI_PID"])
  shell = "umask 077; f=" file "; t=" temporary "; if [ -L \"$f\" ]; then f=$(readlink -f \"$f\"); fi; " \
    "{ [ ! -f \"$f\" ] || cp -p \"$f\" \"$t\"; } && dd of=\"$t\" conv=fsync 2> /dev/null && mv -f \"$t\" \"$f\" || { rm -f \"$t\"; exit 1; }"
  printf "%s", packageText(0) | shell
  if (close(shell) == 0) return 1
  problem = "I/O error"
  return 0
}

function commit(package,   file, taken, result) {
  if (isUncommitted) return 0
  isLoaded = 0
  file = saveDir "/" package; taken = saveDir "/." package ".commit-" ENVIRON["UCI_PID"]
  if (!loadFile(package)) return failed()
  result = (getline lineText < file)
  close(file)
  if (result <= 0) return 0 # nothing is staged
  # Taken away in one step: what another process stages from here on is not lost.
  if (system("mv -f " quoted(file) " " quoted(taken)) != 0) return fail("I/O error")
  for (result = 1; result <= extraDirs; result++) applyStaged(extraDir[result] "/" package)
  applyStaged(taken)
  if (writeFile()) { system("rm -f " quoted(taken)); return 0 }
  system("cat " quoted(file) " >> " quoted(taken) " 2> /dev/null; mv -f " quoted(taken) " " quoted(file))
  return failed()
}

# --- what a command names ------------------------------------------------------------------------------------

# Cuts package.section.option=text into its parts.
function cutTarget(text,   at, parts, part) {
  hasText = at = index(text, "=")
  partText = at ? substr(text, at + 1) : ""
  if (at) text = substr(text, 1, at - 1)
  parts = split(text, part, ".")
  partPackage = part[1]; partSection = part[2]; partOption = part[3]
  hasSection = parts > 1; hasOption = parts > 2
  if (parts > 3 || partPackage == "" || (hasOption && !isName(partOption))) { problem = "Invalid argument"; return 0 }
  return 1
}

# Finds the section and option that are named: targetId (0: none), targetPlace (0: none). @type[n] becomes its name.
function findTarget(   at, wanted, n, s, seen) {
  targetId = targetPlace = 0
  if (!hasSection) return 1
  if (isName(partSection)) { if (partSection in idOf) targetId = idOf[partSection] }
  else {
    if (partSection !~ /^@[!-Z^-~]*\[-?[0-9]+\]$/) { problem = "Invalid argument"; return 0 }
    at = index(partSection, "["); wanted = substr(partSection, 2, at - 2)
    n = substr(partSection, at + 1, length(partSection) - at - 1) + 0
    if (n < 0) { for (s = 1; s <= sections; s++) if (wanted == "" || type[order[s]] == wanted) seen++; n += seen }
    for (s = 1; s <= sections; s++) if (wanted == "" || type[order[s]] == wanted) if (n-- == 0) targetId = order[s]
    if (targetId) partSection = name[targetId]
  }
  if (targetId && hasOption && ((targetId, partOption) in placeOf)) targetPlace = placeOf[targetId, partOption]
  return 1
}

function isFound() { return !hasSection || (targetId && (!hasOption || targetPlace)) }

# --- commands ------------------------------------------------------------------------------------------------

function onElement(verb, text) {
  if (!cutTarget(text) || !load(partPackage)) return failed()
  cutTarget(text) # once more: what was staged has been cut in between
  isStaging = 1
  if (!findTarget()) return failed()
  if (hasText && (verb == "get" || verb == "revert")) return 1
  if (verb == "get") {
    if (!isFound()) return fail("Entry not found")
    if (!hasSection) return 0
    print hasOption ? optionText(targetId, targetPlace, 0) : type[targetId]
    return 0
  }
  if (verb == "revert") return revert()
  if (verb == "set") return assign() ? 0 : failed()
  if (verb == "delete") {
    if (hasText && partText !~ /^[ \t]*[-+]?[0-9]/) return 1
    return remove() ? 0 : failed()
  }
  if (verb == "rename") return rename() ? 0 : failed()
  if (!targetId || !hasText) return fail(verb == "reorder" ? "Entry not found" : "Invalid argument")
  if (verb == "reorder") { moveSection(targetId, partText + 0); return 0 }
  if (!hasOption) return fail("Invalid argument")
  if (verb == "add_list") addItem(targetId, partOption, partText)
  else removeItems(targetId, partOption, partText)
  return 0
}

function assign() {
  if (!hasText || !hasSection || (!targetId && (hasOption || !isName(partSection)))) { problem = "Invalid argument"; return 0 }
  if (hasOption) setOption(targetId, partOption, partText)
  else if (partText == "") { if (targetId) deleteSection(targetId) }
  else if (!isType(partText)) { problem = "Invalid argument"; return 0 }
  else setSection(partSection, partText)
  return 1
}

function remove() {
  if (!isFound()) { problem = "Entry not found"; return 0 }
  if (!hasSection) { problem = "Invalid argument"; return 0 }
  if (!hasOption) deleteSection(targetId)
  else if (partText != "" && kind[targetId, targetPlace] == "list") removeItemAt(targetId, partOption, partText + 0)
  else deleteOption(targetId, partOption)
  return 1
}

function rename() {
  if (!isFound()) { problem = "Entry not found"; return 0 }
  if (!hasSection || !isName(partText)) { problem = "Invalid argument"; return 0 }
  if (hasOption) renameOption(targetId, partOption, partText)
  else renameSection(targetId, partText)
  return 1
}

function addCommand(   id) {
  if (count != 3) return 255
  if (!load(argument[2])) return failed()
  if (!isType(argument[3])) return fail("Invalid argument")
  id = addSection(argument[3], "")
  isStaging = 1
  stage("+", name[id], "", argument[3], 1)
  print name[id]
  return save()
}

# Throws staged changes away: all of the package, or those of a section or an option.
function revert(   file, kept, line, whole) {
  file = saveDir "/" P; isLoaded = 0
  source = file; lineNumber = 0
  whole = P (hasSection ? "." partSection : "") (hasOption ? "." partOption : "")
  while (nextLine()) {
    line = lineText
    if (!cutWords(lineText) || words == 0) { problem = ""; continue }
    line = word[1]; sub(/^[\^@+|~-]/, "", line); sub(/=.*/, "", line)
    if (line == whole || index(line, whole ".") == 1) continue
    line = word[1]; lineNumber = index(line, "=")
    kept = kept (lineNumber ? substr(line, 1, lineNumber) quoted(substr(line, lineNumber + 1)) : line) "\n"
  }
  close(file); source = inputFile
  if (readResult < 0) return 0 # nothing is staged
  printf "%s", kept > file
  close(file)
  return 0
}

function onPackages(verb,   list, n, i, package) {
  if (count == 2) return onPackage(verb, argument[2])
  list = "ls -1 " quoted(configDir)
  while ((list | getline lineText) > 0) package[++n] = lineText
  close(list)
  for (i = 1; i <= n; i++) if (package[i] ~ /^[A-Za-z0-9_-]+$/) onPackage(verb, package[i])
  return 0
}

function onPackage(verb, text,   s, id, seen, shown) {
  staged = ""
  if (!cutTarget(text)) return failed()
  if (verb == "commit") return commit(partPackage)
  if (!load(partPackage) || !cutTarget(text) || !findTarget()) return failed()
  if (verb == "export") { printf "package %s\n%s", P, packageText(isNaming); return 0 }
  if (verb == "changes") { showChanges(); return 0 }
  if (!isFound()) return fail("Entry not found")
  if (hasOption) { showOption(name[targetId], targetId, targetPlace); return 0 }
  if (hasSection) { showSection(name[targetId], targetId); return 0 }
  for (s = 1; s <= sections; s++) {
    id = order[s]
    shown = !isPlain && anonymous[id] ? "@" type[id] "[" (seen[type[id]] + 0) "]" : name[id]
    seen[type[id]]++
    showSection(shown, id)
  }
  return 0
}

function showSection(shown, id,   k) {
  print P "." shown "=" type[id]
  for (k = 1; k <= optionCount[id]; k++) if (optionName[id, k] != "") showOption(shown, id, k)
}

function showOption(shown, id, k) { print P "." shown "." optionName[id, k] "=" optionText(id, k, 1) }

# Of a list without quotes, an item with blanks is quoted all the same.
function optionText(id, k, isQuoted,   i, text) {
  if (kind[id, k] == "option") return isQuoted ? quoted(value[id, k, 1]) : value[id, k, 1]
  for (i = 1; i <= itemCount[id, k]; i++)
    text = text (i > 1 ? delimiter : "") (isQuoted || value[id, k, i] ~ /[ \t\r\n]/ ? quoted(value[id, k, i]) : value[id, k, i])
  return text
}

function showChanges(   i) {
  for (i = 1; i <= changes; i++) {
    if (change[i] == "-") print "-" P "." changeTarget[i]
    else print P "." changeTarget[i] (change[i] == "|" ? "+=" : change[i] == "~" ? "-=" : "=") quoted(changeText[i])
  }
}

# Takes a text from standard input or -f: over the configuration, or with -m as changes to it.
function importText() {
  if (count > 2 || (isMerge && count < 2)) return 255
  isLoaded = 0
  if (isMerge && load(argument[2])) {
    source = inputFile
    if (!readText(1, 1)) { staged = ""; forget(); isLoaded = 0; return failed() }
    return staged == "" ? 0 : save()
  }
  problem = ""
  forget()
  if (count == 2) P = argument[2]
  if (P != "" && P !~ /^[A-Za-z0-9_-]+$/) return fail("Invalid argument")
  source = inputFile; isImporting = 1
  if (!readText(count == 2, 0)) { if (problem == "") problem = "Entry not found"; return failed() }
  finishPackage()
  isImporting = 0; isLoaded = 0
  return problem == "" ? 0 : failed()
}

# The end of a package in an imported text: it goes to its file, and what was staged for it is void.
function finishPackage() {
  if (isImporting && P != "") {
    if (writeFile()) system("rm -f " quoted(saveDir "/" P))
  }
  forget(); isStaging = 0
}
