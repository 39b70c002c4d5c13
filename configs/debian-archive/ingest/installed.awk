# Turns dpkg's status file into one tab-separated line for each package that is installed now (not: removed, configuration left).
# Columns: package, version, section, installed KiB
BEGIN { OFS = "\t" }

function emit() {
  if (package != "" && installed) print package, version, section == "" ? "unknown" : section, kib + 0
  package = version = section = kib = ""; installed = 0
}

/^$/               { emit(); next }
/^Package:/        { package = $2; next }
/^Status:/         { installed = ($NF == "installed"); next }
/^Version:/        { version = $2; next }
/^Section:/        { section = $2; sub(/^.*\//, "", section); next }
/^Installed-Size:/ { kib = $2; next }

END { emit() }
