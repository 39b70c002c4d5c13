# Resolves needs to packages that exist: the first real alternative, else the first package that provides one.
# usage: awk -f edges.awk packages.tsv relations.tsv relations.tsv        (twice: who provides what is known only at its end)
# Columns: package, the package it needs; unsorted and with duplicates
BEGIN { FS = OFS = "\t" }

FNR == 1 { file++ }
file == 1 { real[$1] = 1; next }
file == 2 { if ($2 == "provides" && !($3 in provider)) provider[$3] = $1; next }
$2 == "needs" {
  n = split($3, alternative, "|")
  target = ""
  for (i = 1; i <= n && target == ""; i++)
    if (alternative[i] in real) target = alternative[i]
  for (i = 1; i <= n && target == ""; i++)
    if (alternative[i] in provider) target = provider[alternative[i]]
  if (target != "" && target != $1) print $1, target
}
