# Counts packages by installed size, in steps of a factor of two. Columns: lower bound in KiB, packages
BEGIN { FS = OFS = "\t"; highest = 0 }
$5 > 0 { bin = 0; for (kib = $5; kib >= 2; kib /= 2) bin++; count[bin]++; if (bin > highest) highest = bin }
END { for (bin = 0; bin <= highest; bin++) print 2 ^ bin, count[bin] + 0 }
