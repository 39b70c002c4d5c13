# Writes the packages of each section to a file of its own: DIR/SECTION.tsv. The sections in `wanted` get a file even if empty,
# so that what is made from them has its input on every machine.
BEGIN {
  FS = "\t"
  n = split(wanted, names, " ")
  for (i = 1; i <= n; i++) printf "" > (dir "/" names[i] ".tsv")
}
$3 ~ /^[a-z0-9.-]+$/ { print > (dir "/" $3 ".tsv") }
