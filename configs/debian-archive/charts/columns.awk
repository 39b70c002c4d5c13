# A histogram over sizes that double. Input columns: lower bound in KiB, count. The column that holds the median is set off.
BEGIN { FS = "\t" }
{ from[NR] = $1 + 0; count[NR] = $2 + 0; total += $2; if ($2 + 0 > largest) largest = $2 + 0 }
END {
  if (total == 0) { nothing(label); exit }
  left = 48; top_ = 22; width = 560; height = 300; base = height - 34
  ceiling = nice(largest)
  svg_open(width, height, label)
  for (i = 0; i <= 4; i++) {
    y = base - (base - top_) * i / 4
    line(left, y, width - 4, y, i == 0 ? "axis" : "grid")
    text(left - 7, y + 4, "tick", "end", grouped(ceiling * i / 4))
  }
  step = (width - left - 8) / NR
  for (i = 1; i <= NR; i++) {
    sum += count[i]
    middle = (!found && sum >= total / 2); if (middle) found = 1
    h = count[i] / ceiling * (base - top_)
    x = left + 4 + (i - 1) * step
    rect(x, base - h, step - 3, h, middle ? "bar accent" : "bar", size_of(from[i]) " to " size_of(from[i] * 2) ": " grouped(count[i]) " packages")
    if (middle) { over = count[i - 1] > count[i] ? count[i - 1] / ceiling * (base - top_) : h; text(x - 2, base - over - 7, "value", "start", "the median package is here") }
    if (i % 3 == 1) text(x + step / 2 - 1.5, base + 16, "tick", "middle", size_of(from[i]))
  }
  text(width - 4, height - 3, "tick", "end", "installed size")
  svg_close()
}
