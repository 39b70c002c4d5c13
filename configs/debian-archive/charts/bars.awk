# Horizontal bars, largest first as given. Input columns: label, value, note printed behind the bar, [a part of the value, drawn over it].
# Variables: label (for screen readers), part (what the fourth column is)
BEGIN { FS = "\t" }
{ name[NR] = $1; value[NR] = $2 + 0; note[NR] = $3; over[NR] = $4 + 0; if ($2 + 0 > largest) largest = $2 + 0 }
END {
  if (NR == 0) { nothing(label); exit }
  left = 186; right = 118; row = 24; width = 560
  svg_open(width, NR * row + 8, label)
  line(left, 2, left, NR * row + 4, "axis")
  for (i = 1; i <= NR; i++) {
    y = (i - 1) * row + 6
    w = largest > 0 ? value[i] / largest * (width - left - right) : 0
    if (w < 1.5) w = 1.5
    text(left - 8, y + 13, "label", "end", shorten(name[i], 25))
    rect(left, y, w, 17, "bar", name[i] ": " note[i])
    if (over[i] > 0) {
      o = over[i] / largest * (width - left - right); if (o < 2) o = 2
      rect(left, y + 5.5, o, 6, "part", name[i] ": " grouped(over[i]) " " part)
    }
    text(left + w + 7, y + 13, "value", "start", note[i])
  }
  svg_close()
}
