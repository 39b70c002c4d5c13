# Drawing helpers shared by all charts: text, numbers, the frame of an SVG. Colours come from the page's style sheet (report/style.css),
# so that one drawing serves light and dark.
function esc(s) { gsub(/&/, "\\&amp;", s); gsub(/</, "\\&lt;", s); gsub(/>/, "\\&gt;", s); gsub(/"/, "\\&quot;", s); return s }

# At most n bytes; an ellipsis marks a cut, which never halves a UTF-8 character.
function shorten(s, n) {
  if (length(s) <= n) return s
  s = substr(s, 1, n - 1); sub(/[\300-\377][\200-\277]*$/, "", s); sub(/ +$/, "", s)
  return s "\342\200\246"
}

# 1234567 -> 1,234,567
function grouped(n,   s, out) {
  s = sprintf("%.0f", n)
  while (length(s) > 3) { out = "," substr(s, length(s) - 2) out; s = substr(s, 1, length(s) - 3) }
  return s out
}

# Whole KiB as a short size, in the units package tools print: 512 kB, 1.5 MB, 3 GB.
function size_of(kib) {
  if (kib >= 1048576) return short_number(kib / 1048576) " GB"
  if (kib >= 1024) return short_number(kib / 1024) " MB"
  return short_number(kib) " kB"
}
function short_number(x,   s) {
  s = x >= 10 || x == int(x) ? sprintf("%.0f", x) : sprintf("%.1f", x)
  return s
}

function log10(x) { return log(x) / log(10) }

# The next "round" number at or above x: 1, 2 or 5 times a power of ten.
function nice(x,   power) {
  if (x <= 0) return 1
  power = 1
  while (power * 10 <= x) power *= 10
  while (power > x) power /= 10
  if (x <= power) return power
  if (x <= 2 * power) return 2 * power
  if (x <= 5 * power) return 5 * power
  return 10 * power
}

function svg_open(width, height, label) {
  printf "<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"%s\" xmlns=\"http://www.w3.org/2000/svg\">\n", width, height, esc(label)
}
function svg_close() { print "</svg>" }

function text(x, y, class, anchor, s) {
  printf "<text x=\"%.1f\" y=\"%.1f\" class=\"%s\" text-anchor=\"%s\">%s</text>\n", x, y, class, anchor, esc(s)
}
function line(x1, y1, x2, y2, class) {
  printf "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" class=\"%s\"/>\n", x1, y1, x2, y2, class
}
function rect(x, y, w, h, class, title) {
  printf "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" rx=\"2.5\" class=\"%s\"><title>%s</title></rect>\n", x, y, w, h, class, esc(title)
}
function nothing(label) {
  svg_open(560, 60, label); text(280, 34, "muted", "middle", "no data on this machine"); svg_close()
}
