# Points on two logarithmic axes. Input columns: x, y, both above 0. Variables: xname, yname
BEGIN { FS = "\t" }
{ xs[NR] = $1; ys[NR] = $2; if ($1 > xmax) xmax = $1 + 0; if ($2 > ymax) ymax = $2 + 0 }
END {
  if (NR == 0) { nothing(label); exit }
  left = 56; top_ = 16; width = 560; height = 300; base = height - 40; right = width - 14
  xdecades = int(log10(xmax) + 1); ydecades = int(log10(ymax) + 1)
  svg_open(width, height, label)
  for (d = 0; d <= ydecades; d++) {
    y = base - (base - top_) * d / ydecades
    line(left, y, right, y, d == 0 ? "axis" : "grid"); text(left - 7, y + 4, "tick", "end", grouped(10 ^ d))
  }
  for (d = 0; d <= xdecades; d++) {
    x = left + (right - left) * d / xdecades
    if (d > 0) line(x, top_, x, base, "grid")
    text(x, base + 16, "tick", d == xdecades ? "end" : "middle", grouped(10 ^ d))
  }
  for (i = 1; i <= NR; i++)
    printf "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3\" class=\"dot\"><title>%s packages are needed by %s</title></circle>\n", \
      left + (right - left) * log10(xs[i]) / xdecades, base - (base - top_) * log10(ys[i]) / ydecades, grouped(ys[i]), grouped(xs[i])
  text(right, height - 6, "tick", "end", xname); text(left + 8, top_ - 3, "tick", "start", yname)
  svg_close()
}
