# The share of the archive that its largest packages hold. Input: sizes, largest first.
# Columns: share of packages, share of bytes (both 0 to 1), at 0.5 % steps
BEGIN { OFS = "\t" }
{ size[NR] = $1; total += $1 }
END {
  print 0, 0
  step = 0.005; next_share = step
  for (i = 1; i <= NR; i++) {
    sum += size[i]
    if (i / NR >= next_share || i == NR) {
      printf "%.4f\t%.4f\n", i / NR, (total > 0 ? sum / total : 0)
      while (next_share <= i / NR) next_share += step
    }
  }
}
