# Turns Debian control stanzas into what each package needs and what it provides, as written; resolves nothing.
# Columns: package, "needs" or "provides", and for needs the alternatives "a|b|c" of one dependency, for provides a name
BEGIN { OFS = "\t" }

/^Package:/ { package = $2; field = ""; next }
/^(Pre-Depends|Depends):/ { field = "needs";    sub(/^[^:]*:/, ""); split_list($0); next }
/^Provides:/              { field = "provides"; sub(/^[^:]*:/, ""); split_list($0); next }
/^[ \t]/ { if (field != "") split_list($0); next }
{ field = "" }

function split_list(text,   n, i, items) {
  gsub(/\([^)]*\)/, "", text)            # versions: (>= 1.2)
  gsub(/:[a-z0-9-]+/, "", text)          # architecture qualifiers: python3:any
  gsub(/[ \t]/, "", text)
  n = split(text, items, ",")
  for (i = 1; i <= n; i++)
    if (items[i] != "") print package, field, items[i]
}
