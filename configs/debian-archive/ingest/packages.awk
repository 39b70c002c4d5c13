# Turns Debian control stanzas into one tab-separated line a package.
# Knows the control format only; sorting and choosing among duplicates is left to its caller.
# Columns: package, version, section, architecture, installed KiB, download bytes, source, maintainer, priority, summary
BEGIN { OFS = "\t" }

function value(line) { sub(/^[^:]*: */, "", line); gsub(/\t/, " ", line); return line }

function emit() {
  if (package == "") return
  stanzas++
  if (source == "") source = package
  if (section == "") section = "unknown"
  print package, version, section, arch, kib + 0, bytes + 0, source, maintainer, priority, summary
}

function forget() {
  package = version = section = arch = kib = bytes = source = maintainer = priority = summary = ""
}

/^$/               { emit(); forget(); next }
/^[ \t]/           { next }                                   # a continued line: none of our fields has one
/^Package:/        { package = value($0); next }
/^Version:/        { version = value($0); next }
/^Section:/        { section = value($0); sub(/^.*\//, "", section); next }      # universe/admin, non-free/admin: admin
/^Architecture:/   { arch = value($0); next }
/^Installed-Size:/ { kib = value($0); next }
/^Size:/           { bytes = value($0); next }
/^Source:/         { source = value($0); sub(/ .*/, "", source); next }          # "gcc-12 (12.2.0-3)": gcc-12
/^Maintainer:/     { maintainer = value($0); sub(/ *<.*/, "", maintainer); gsub(/"/, "", maintainer); next }
/^Priority:/       { priority = value($0); next }
/^Description:/    { summary = value($0); next }
/^Description-en:/ { summary = value($0); next }

END {
  emit()
  # What is written into $TROUPE_RESULT is recorded with the materialization: `troupe show latest --json`.
  if (ENVIRON["TROUPE_RESULT"] != "") printf "{\"metadata\": {\"stanzas\": %d}}\n", stanzas > ENVIRON["TROUPE_RESULT"]
}
