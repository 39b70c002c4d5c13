# One row a group on a logarithmic size axis: a thin line from the 10th to the 90th percentile, a thick one from the 25th to the
# 75th, a dot at the median. Input columns: section, packages, total KiB, p10, p25, p50, p75, p90 (KiB), the largest package
BEGIN { FS = "\t" }
$2 > 0 { n++; name[n] = $1; packages[n] = $2; a[n] = at_least_1($4); b[n] = at_least_1($5); c[n] = at_least_1($6); d[n] = at_least_1($7); e[n] = at_least_1($8)
         if (e[n] > largest) largest = e[n]; if (n == 1 || a[n] < smallest) smallest = a[n] }
function at_least_1(x) { return x < 1 ? 1 : x + 0 }
function place(kib) { return left + (right - left) * (log(kib) / log(4) - first) / (steps - first) }
END {
  if (n == 0) { nothing(label); exit }
  left = 108; width = 560; right = width - 84; row = 24; top_ = 10; base = top_ + n * row
  for (steps = 1; 4 ^ steps < largest; steps++) { }
  for (first = 0; 4 ^ (first + 1) <= smallest; first++) { }
  svg_open(width, base + 34, label)
  for (s = first; s <= steps; s++) {
    x = place(4 ^ s)
    line(x, top_, x, base, "grid")
    text(x, base + 16, "tick", "middle", size_of(4 ^ s))
  }
  for (i = 1; i <= n; i++) {
    y = top_ + (i - 0.5) * row
    text(left - 10, y + 4, "label", "end", name[i])
    printf "<g><title>%s: half of its %s packages take %s to %s, the median is %s</title>\n", esc(name[i]), grouped(packages[i]), size_of(b[i]), size_of(d[i]), size_of(c[i])
    line(place(a[i]), y, place(e[i]), y, "whisker")
    line(place(b[i]), y, place(d[i]), y, "box")
    printf "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"4.5\" class=\"dot accent\"/></g>\n", place(c[i]), y
    text(right + 12, y + 4, "value", "start", size_of(c[i]))
  }
  text(width - 4, base + 31, "tick", "end", "installed size; dot and figure: median")
  svg_close()
}
