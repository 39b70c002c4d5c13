# A cumulative share: how much of the whole the first x % hold. Input columns: x, y, both 0 to 1, rising.
BEGIN { FS = "\t" }
{ xs[NR] = $1; ys[NR] = $2; if (!half && $2 >= 0.5) { half = 1; hx = $1; hy = $2 } }
END {
  if (NR < 2) { nothing(label); exit }
  left = 48; top_ = 16; width = 560; height = 300; base = height - 40; right = width - 14
  svg_open(width, height, label)
  for (i = 0; i <= 4; i++) {
    y = base - (base - top_) * i / 4; x = left + (right - left) * i / 4
    line(left, y, right, y, i == 0 ? "axis" : "grid"); text(left - 7, y + 4, "tick", "end", i * 25 " %")
    text(x, base + 16, "tick", i == 4 ? "end" : "middle", i * 25 " %")
  }
  for (i = 1; i <= NR; i++) points = points sprintf(" %.1f,%.1f", left + (right - left) * xs[i], base - (base - top_) * ys[i])
  printf "<polygon class=\"area\" points=\"%.1f,%.1f%s %.1f,%.1f\"/>\n", left, base, points, right, base
  printf "<polyline class=\"curve\" points=\"%s\"/>\n", points
  if (half) {
    x = left + (right - left) * hx; y = base - (base - top_) * hy
    line(x, y, x, base, "marker")
    printf "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"4.5\" class=\"dot accent\"/>\n", x, y
    text(x + 12, y + 18, "value", "start", sprintf("%.1f %% of the packages hold half of the bytes", hx * 100))
  }
  text(right, height - 6, "tick", "end", "share of packages, largest first")
  svg_close()
}
