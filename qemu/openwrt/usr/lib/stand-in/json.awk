# JSON for the stand-in's shell: reads one text from standard input (or makes one) and answers one question.
#   check                    exit code: is it JSON, an object?
#   get <a.b.1>              the member as text (arrays count from 0); nothing when there is none
#   has <member>             exit code
#   methods                  the methods of an rpcd plugin's list, as `ubus -v list` prints them
#   shell                    calls of jshn.sh that build the same: json_init, json_add_object ...
#   services [<name>]        prints (needs no input): what /var/run/procd knows, as `ubus call service list` does

BEGIN {
  verb = ARGV[1]; wanted = ARGV[2]; ARGC = 1
  if (verb == "services") { services(wanted); exit 0 }
  while ((getline line) > 0) text = text (n++ ? "\n" : "") line
  at = 1; depth = 0; isFound = 0
  if (verb == "shell") print "json_init"
  blank()
  isGood = substr(text, at, 1) == "{" && object("", "")
  blank()
  if (!isGood || at <= length(text)) exit 1
  if (verb == "has") exit !isFound
}

function blank() { if (match(substr(text, at), /^[ \t\r\n]+/)) at += RLENGTH }

# Texts for the shell.
function quoted(s) { gsub(/'/, "'\\''", s); return "'" s "'" }

function string(   c, out, hex, code) {
  if (substr(text, at, 1) != "\"") return 0
  at++; out = ""
  for (;;) {
    if (match(substr(text, at), /^[^"\\]+/)) { out = out substr(text, at, RLENGTH); at += RLENGTH }
    c = substr(text, at, 1)
    if (c == "") return 0
    at++
    if (c == "\"") { stringValue = out; return 1 }
    c = substr(text, at++, 1)
    if (c == "n") out = out "\n"; else if (c == "t") out = out "\t"; else if (c == "r") out = out "\r"
    else if (c == "b") out = out "\b"; else if (c == "f") out = out "\f"
    else if (c == "\"" || c == "\\" || c == "/") out = out c
    else if (c == "u" && match(substr(text, at), /^[0-9A-Fa-f][0-9A-Fa-f][0-9A-Fa-f][0-9A-Fa-f]/)) { out = out character(substr(text, at, 4)); at += 4 }
    else return 0
  }
}

function hexNumber(digits,   i, n) { for (i = 1; i <= length(digits); i++) n = n * 16 + index("0123456789abcdef", tolower(substr(digits, i, 1))) - 1; return n }

# The bytes of a \uXXXX, two of them for what lies outside of the first plane.
function character(digits,   n, low) {
  n = hexNumber(digits)
  if (n >= 55296 && n < 56320 && substr(text, at + 4, 2) == "\\u") {
    low = hexNumber(substr(text, at + 6, 4)); at += 6
    n = 65536 + (n - 55296) * 1024 + (low - 56320)
    return sprintf("%c%c%c%c", 240 + int(n / 262144), 128 + int(n / 4096) % 64, 128 + int(n / 64) % 64, 128 + n % 64)
  }
  if (n < 128) return n ? sprintf("%c", n) : ""
  if (n < 2048) return sprintf("%c%c", 192 + int(n / 64), 128 + n % 64)
  return sprintf("%c%c%c", 224 + int(n / 4096), 128 + int(n / 64) % 64, 128 + n % 64)
}

# A value that stands under `path`, its own key being `key`.
function value(path, key,   c, from, scalar, kind) {
  blank()
  c = substr(text, at, 1); from = at
  if (c == "{" || c == "[") {
    if (++depth > 32 || !(c == "{" ? object(path, key) : array(path, key))) return 0
    depth--
    found(path, substr(text, from, at - from))
    return 1
  }
  if (c == "\"") { if (!string()) return 0; scalar = stringValue; kind = "string" }
  else if (match(substr(text, at), /^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?/)) { scalar = substr(text, at, RLENGTH); at += RLENGTH; kind = scalar ~ /[.eE]/ ? "double" : "int" }
  else if (match(substr(text, at), /^(true|false|null)/)) { scalar = substr(text, at, RLENGTH); at += RLENGTH; kind = scalar == "null" ? "null" : "boolean" }
  else return 0
  found(path, kind == "null" ? "" : scalar)
  if (verb == "shell") print "json_add_" kind " " quoted(key) " " quoted(kind == "boolean" ? (scalar == "true") + 0 : scalar)
  return 1
}

function found(path, scalar) {
  if (path != wanted) return
  isFound = 1
  if (verb == "get") print scalar
}

function object(path, key,   name, count) {
  at++
  if (verb == "shell" && path != "") print "json_add_object " quoted(key)
  for (;;) {
    blank()
    if (substr(text, at, 1) == "}" && !count) break
    if (!string()) return 0
    name = stringValue; count++
    blank()
    if (substr(text, at++, 1) != ":") return 0
    if (verb == "methods" && path == "") signature(name)
    if (!value(path == "" ? name : path "." name, name)) return 0
    blank()
    if (substr(text, at, 1) == "}") break
    if (substr(text, at++, 1) != ",") return 0
  }
  at++
  if (verb == "shell" && path != "") print "json_close_object"
  return 1
}

function array(path, key,   count) {
  at++; count = 0
  if (verb == "shell") print "json_add_array " quoted(key)
  for (;;) {
    blank()
    if (substr(text, at, 1) == "]" && !count) break
    if (!value(path "." count, "")) return 0
    count++
    blank()
    if (substr(text, at, 1) == "]") break
    if (substr(text, at++, 1) != ",") return 0
  }
  at++
  if (verb == "shell") print "json_close_array"
  return 1
}

# One method with its arguments' types, told by example: {"reload":{"force":true}}
function signature(name,   rest, out, part) {
  rest = substr(text, at)
  sub(/^[ \t\r\n]*\{/, "", rest); sub(/\}.*/, "", rest)
  while (match(rest, /"[^"]*"[ \t]*:[ \t]*("[^"]*"|[^,]*)/)) {
    part = substr(rest, RSTART, RLENGTH); rest = substr(rest, RSTART + RLENGTH)
    out = out (out == "" ? "" : ",") substr(part, 1, index(substr(part, 2), "\"") + 1) ":\"" (part ~ /:[ \t]*"/ ? "String" : part ~ /(true|false)/ ? "Boolean" : part ~ /:[ \t]*\[/ ? "Array" : part ~ /:[ \t]*\{/ ? "Table" : "Integer") "\""
  }
  print "\t\"" name "\":{" out "}"
}

# --- making --------------------------------------------------------------------------------------------------

function escaped(s) { gsub(/[\\"]/, "\\\\&", s); gsub(/\n/, "\\n", s); gsub(/\t/, "\\t", s); gsub(/[\001-\037]/, "", s); return "\"" s "\"" }

function firstLine(file,   line) { if ((getline line < file) <= 0) line = ""; close(file); return line }

function services(name,   folder, list, line, out, service, before, instance, pid, exitCode, words) {
  folder = ENVIRON["PROCD_RUN"] == "" ? "/var/run/procd" : ENVIRON["PROCD_RUN"]
  list = "for f in " folder "/*/*/settings " folder "/*/triggers; do [ -f \"$f\" ] && echo \"${f#" folder "/}\"; done | grep -v '\\.new/' | sort"
  while ((list | getline line) > 0) {
    split(line, part, "/"); service = part[1]
    if (name != "" && service != name) continue
    if (service != before) { out = out (before == "" ? "" : "}},") escaped(service) ":{\"instances\":{"; before = service; instance = "" }
    if (part[2] == "triggers") continue
    pid = firstLine(folder "/" service "/" part[2] "/pid"); exitCode = firstLine(folder "/" service "/" part[2] "/exit")
    if (pid != "" && firstLine("/proc/" pid "/stat") == "") pid = ""
    words = command(folder "/" line)
    out = out (instance == "" ? "" : ",") escaped(part[2]) ":{\"running\":" (pid == "" ? "false" : "true") (pid == "" ? "" : ",\"pid\":" pid) ",\"command\":[" words "]" (pid == "" && exitCode != "" ? ",\"exit_code\":" exitCode : "") "}"
    instance = part[2]
  }
  print "{" out (before == "" ? "" : "}}") "}"
}

# The words of p_command in a settings file, which are quoted twice for the shell.
function command(file,   list, word, out) {
  list = "( . '" file "'; eval \"set -- $p_command\"; for w; do printf '%s\\n' \"$w\"; done )"
  while ((list | getline word) > 0) out = out (out == "" ? "" : ",") escaped(word)
  close(list)
  return out
}
