# A UCI package in memory: reading its text, changing it, writing it. The rules are libuci's (openwrt/uci: file.c,
# list.c, delta.c), those of the version in OpenWrt 24.10: an option keeps its place when it is set again, staged
# values are quoted, an anonymous section is called cfg<two digits: how many sections before><hash of its type>.
#
#   P                     name of the package that is loaded
#   order[1..sections]    section ids in the order of the file; type[id], name[id], anonymous[id], optionCount[id]
#   optionName[id, k]     "" once deleted; kind[id, k] "option" or "list"; value[id, k, 1..itemCount[id, k]]
#   idOf[section name], placeOf[id, option name]
#   staged                changes of this call that are not in the save directory yet
#   problem               what went wrong, in uci's words; "" when nothing did

function forget() {
  split("", order); split("", type); split("", name); split("", anonymous); split("", optionCount)
  split("", optionName); split("", kind); split("", value); split("", itemCount); split("", idOf); split("", placeOf)
  sections = 0; lastId = 0; P = ""; current = 0
}

# --- words ---------------------------------------------------------------------------------------------------

# The next line of what is being read: a file, or standard input when `source` is empty.
function nextLine() {
  readResult = source == "" ? (getline lineText) : (getline lineText < source)
  if (readResult <= 0) return 0
  lineNumber++
  return 1
}

# Cuts a line into word[1..words]; takes further lines while a quote is open. A `;` is a word of its own with isEnd.
function cutWords(rest,   text, first, at, found) {
  words = 0
  for (;;) {
    sub(/^[ \t\r\f\v]+/, "", rest)
    first = substr(rest, 1, 1)
    if (first == "" || first == "#") return 1
    if (first == ";") { word[++words] = ";"; isEnd[words] = 1; rest = substr(rest, 2); continue }
    text = ""
    for (;;) {
      first = substr(rest, 1, 1)
      if (first == "'") {
        rest = substr(rest, 2)
        while ((at = index(rest, "'")) == 0) {
          text = text rest "\n"
          if (!nextLine()) return parseError("EOF with unterminated '")
          rest = lineText
        }
        text = text substr(rest, 1, at - 1); rest = substr(rest, at + 1)
      } else if (first == "\"") {
        rest = substr(rest, 2)
        for (;;) {
          if (!match(rest, /["\\]/)) {
            text = text rest "\n"
            if (!nextLine()) return parseError("EOF with unterminated \"")
            rest = lineText
            continue
          }
          found = substr(rest, RSTART, 1)
          text = text substr(rest, 1, RSTART - 1); rest = substr(rest, RSTART + 1)
          if (found == "\"") break
          if (rest == "") { if (!nextLine()) return parseError("EOF with unterminated \""); rest = lineText; continue }
          text = text substr(rest, 1, 1); rest = substr(rest, 2)
        }
      } else if (first == "\\") {
        rest = substr(rest, 2)
        if (rest == "") { rest = nextLine() ? lineText : ""; continue }
        text = text substr(rest, 1, 1); rest = substr(rest, 2)
      } else if (first == "#") { rest = ""; break
      } else if (first == "" || first == ";" || first ~ /[ \t\r\f\v]/) { break
      } else {
        match(rest, /^[^ \t\r\f\v'"\\#;]+/)
        text = text substr(rest, 1, RLENGTH); rest = substr(rest, RLENGTH + 1)
      }
    }
    word[++words] = text; isEnd[words] = 0
  }
}

function parseError(what) { problem = "Parse error (" what ") at line " lineNumber ", byte 0"; return 0 }

# --- reading -------------------------------------------------------------------------------------------------

# Reads statements from `source`. single: a `package` line names nothing; staging: what they change is staged, too.
function readText(single, staging,   from, i) {
  lineNumber = 0; current = 0; readResult = 0; isStaging = staging
  while (nextLine()) {
    # What uci itself writes is most of what there is to read: no need to look at every character.
    if (lineText ~ /^\t(option|list) [A-Za-z0-9_]+ '[^']*'$/) {
      i = index(lineText, " "); word[1] = substr(lineText, 2, i - 2)
      lineText = substr(lineText, i + 1); i = index(lineText, " ")
      word[2] = substr(lineText, 1, i - 1); word[3] = substr(lineText, i + 2, length(lineText) - i - 2)
      if (!takeStatement(1, 3, single)) return 0
      continue
    }
    if (!cutWords(lineText)) return 0
    for (from = i = 1; i <= words + 1; i++)
      if (i > words || isEnd[i]) { if (i > from && !takeStatement(from, i - 1, single)) return 0; from = i + 1 }
  }
  return readResult >= 0
}

function takeStatement(from, to, single,   key, id) {
  key = word[from]
  if (key == "package" || key == "p") {
    if (to == from || word[from + 1] !~ /^[A-Za-z0-9_-]+$/) return parseError("invalid character in name field")
    if (!single) { finishPackage(); P = word[from + 1] }
    return 1
  }
  if (key == "config" || key == "c") {
    if (P == "") return parseError("attempting to import a file without a package name")
    if (to == from) return parseError("insufficient arguments")
    if (to > from + 2) return parseError("too many arguments")
    if (!isType(word[from + 1])) return parseError("invalid character in type field")
    if (to == from + 1 || word[from + 2] == "") { current = addSection(word[from + 1], ""); if (isStaging) stage("+", name[current], "", word[from + 1], 1); return 1 }
    if (!isName(word[from + 2])) return parseError("invalid character in name field")
    if ((word[from + 2] in idOf) && type[idOf[word[from + 2]]] != word[from + 1])
      return parseError("section of different type overwrites prior section with same name")
    current = setSection(word[from + 2], word[from + 1])
    return 1
  }
  if (key == "option" || key == "o" || key == "list" || key == "l") {
    if (!current) return parseError("option/list command found before the first section")
    if (to == from) return parseError("insufficient arguments")
    if (to > from + 2) return parseError("too many arguments")
    if (!isName(word[from + 1])) return parseError("invalid character in name field")
    if (to == from + 1) word[from + 2] = ""
    if (substr(key, 1, 1) == "l") addItem(current, word[from + 1], word[from + 2])
    else setOption(current, word[from + 1], word[from + 2])
    return 1
  }
  return parseError("invalid command")
}

# --- changing: each stages what it did when isStaging --------------------------------------------------------

function isName(text) { return text ~ /^[A-Za-z0-9_]+$/ }
function isType(text) { return text ~ /^[!-~]+$/ }

function quoted(text) { gsub(/'/, "'\\''", text); return "'" text "'" }

function stage(sign, section, option, text, hasText) {
  staged = staged sign P "." section (option == "" ? "" : "." option) (hasText ? "=" quoted(text) : "") "\n"
}

function addSection(newType, newName,   id, i, hash) {
  id = ++lastId
  if (newName == "") {
    if (!("a" in code)) for (i = 33; i < 127; i++) code[sprintf("%c", i)] = i
    hash = 5381
    for (i = 1; i <= length(newType); i++) hash = (hash * 33 + code[substr(newType, i, 1)]) % 65536
    newName = sprintf("cfg%02x%04x", id, hash)
    anonymous[id] = 1
  } else anonymous[id] = 0
  order[++sections] = id; type[id] = newType; name[id] = newName; optionCount[id] = 0
  idOf[newName] = id
  return id
}

function setSection(section, newType) {
  if (isStaging) stage("", section, "", newType, 1)
  if (section in idOf) { type[idOf[section]] = newType; return idOf[section] }
  return addSection(newType, section)
}

function newOption(id, option, newKind,   k) {
  k = ++optionCount[id]
  optionName[id, k] = option; kind[id, k] = newKind; itemCount[id, k] = 0; placeOf[id, option] = k
  return k
}

function setOption(id, option, text,   k) {
  if (text == "") { if ((id, option) in placeOf) deleteOption(id, option); return }
  if ((id, option) in placeOf) { k = placeOf[id, option]; if (kind[id, k] == "option" && value[id, k, 1] == text) return }
  if (isStaging) stage("", name[id], option, text, 1)
  k = (id, option) in placeOf ? placeOf[id, option] : newOption(id, option, "option")
  kind[id, k] = "option"; itemCount[id, k] = 1; value[id, k, 1] = text
}

function addItem(id, option, text,   k) {
  if (isStaging) stage("|", name[id], option, text, 1)
  k = (id, option) in placeOf ? placeOf[id, option] : newOption(id, option, "list")
  kind[id, k] = "list"
  value[id, k, ++itemCount[id, k]] = text
}

function removeItems(id, option, text,   k, i, kept) {
  if (!((id, option) in placeOf)) return
  k = placeOf[id, option]
  if (kind[id, k] != "list") return
  if (isStaging) stage("~", name[id], option, text, 1)
  for (i = 1; i <= itemCount[id, k]; i++) if (value[id, k, i] != text) value[id, k, ++kept] = value[id, k, i]
  itemCount[id, k] = kept + 0
}

# The n-th item of a list, counted from 0.
function removeItemAt(id, option, n,   k, i) {
  k = placeOf[id, option]
  if (n < 0 || n >= itemCount[id, k]) return
  if (isStaging) stage("-", name[id], option, n, 1)
  for (i = n + 1; i < itemCount[id, k]; i++) value[id, k, i] = value[id, k, i + 1]
  itemCount[id, k]--
}

function deleteOption(id, option) {
  if (isStaging) stage("-", name[id], option, "", 0)
  optionName[id, placeOf[id, option]] = ""
  delete placeOf[id, option]
}

function deleteSection(id,   i, k) {
  if (isStaging) stage("-", name[id], "", "", 0)
  for (i = 1; order[i] != id; i++);
  for (sections--; i <= sections; i++) order[i] = order[i + 1]
  for (k = 1; k <= optionCount[id]; k++) delete placeOf[id, optionName[id, k]]
  delete idOf[name[id]]
}

function renameSection(id, newName) {
  if (isStaging) stage("@", name[id], "", newName, 1)
  delete idOf[name[id]]
  name[id] = newName; anonymous[id] = 0; idOf[newName] = id
}

function renameOption(id, option, newName,   k) {
  if (isStaging) stage("@", name[id], option, newName, 1)
  if (option == newName) return
  if ((id, newName) in placeOf) optionName[id, placeOf[id, newName]] = ""
  k = placeOf[id, option]
  delete placeOf[id, option]
  optionName[id, k] = newName; placeOf[id, newName] = k
}

function moveSection(id, position,   i, j) {
  if (isStaging) stage("^", name[id], "", position, 1)
  for (i = 1; order[i] != id; i++);
  for (; i < sections; i++) order[i] = order[i + 1]
  j = position + 1; if (j < 1) j = 1; if (j > sections) j = sections
  for (i = sections; i > j; i--) order[i] = order[i - 1]
  order[j] = id
}

# --- writing -------------------------------------------------------------------------------------------------

function packageText(named,   text, s, id, k, i) {
  text = ""
  for (s = 1; s <= sections; s++) {
    id = order[s]
    text = text "\nconfig " type[id] (named || !anonymous[id] ? " " quoted(name[id]) : "") "\n"
    for (k = 1; k <= optionCount[id]; k++) {
      if (optionName[id, k] == "") continue
      for (i = 1; i <= itemCount[id, k]; i++) text = text "\t" kind[id, k] " " optionName[id, k] " " quoted(value[id, k, i]) "\n"
    }
  }
  return text "\n"
}
