# What installing one package on an empty machine brings along: everything it needs, and what that needs (breadth first).
# usage: awk -v root=git -v out=git.tsv -f footprint.awk packages.tsv edges.tsv     (started without a shell, so it writes the file itself)
# Columns: package, installed KiB in all, a note on size and number
BEGIN { FS = OFS = "\t" }
FNR == 1 { file++ }
file == 1 { kib[$1] = $5; next }
{ needs[$1] = needs[$1] " " $2 }
END {
  if (!(root in kib)) { print root, 0, "not on offer", 0 > out; exit }
  queue[1] = root; seen[root] = 1; last = 1
  for (first = 1; first <= last; first++) {
    package = queue[first]; total += kib[package]
    n = split(needs[package], next_ones, " ")
    for (i = 1; i <= n; i++)
      if (!(next_ones[i] in seen)) { seen[next_ones[i]] = 1; queue[++last] = next_ones[i] }
  }
  print root, total, sprintf("%.0f MB  in %d", total * 1024 / 1e6, last) > out
}
