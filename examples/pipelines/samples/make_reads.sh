#!/bin/sh
# Writes reads of three samples, which stand for what a sequencer delivers. The same each time.
set -eu
mkdir -p reads
for sample in liver heart brain; do
  awk -v sample="$sample" 'BEGIN {
    seed = length(sample) * 7919 + (sample == "brain")
    for (i = 0; i < 400; ++i) {
      read = ""
      for (k = 0; k < 12; ++k) { seed = (seed * 1103515245 + 12345) % 2147483648; read = read substr("ACGT", int(seed / 65536) % 4 + 1, 1) }
      print read
    }
  }' > "reads/$sample.txt"
done
