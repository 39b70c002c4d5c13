# The distribution of installed sizes in one section. Input: installed KiB and package, sorted by size.
# Columns: section, packages, total KiB, 10th, 25th, 50th, 75th, 90th percentile (KiB), the largest package
BEGIN { FS = OFS = "\t" }
{ kib[NR] = $1; total += $1; largest = $2 }

# Nearest rank: a size that some package really has.
function percentile(p,   rank) {
  rank = int(p * NR / 100)
  if (rank < p * NR / 100) rank++
  return kib[rank < 1 ? 1 : rank]
}

END {
  if (NR == 0) print section, 0, 0, 0, 0, 0, 0, 0, "-"
  else print section, NR, total, percentile(10), percentile(25), percentile(50), percentile(75), percentile(90), largest
}
