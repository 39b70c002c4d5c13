# How many packages are needed by exactly n others. Input: degree.tsv. Columns: n, packages (n = 0 left out: logarithms follow)
BEGIN { FS = OFS = "\t" }
$2 > 0 { count[$2]++ }
END { for (n in count) print n, count[n] }
