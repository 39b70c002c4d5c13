# Fills the report's template; knows nothing of what the parts mean. usage: awk -f charts/lib.awk -f report/report.awk totals.tsv template.html
#   %key%                         the value of key in totals.tsv
#   @text FILE                    the file as it is (style sheets, drawings)
#   @table FILE head|#head|…      a tab-separated file as a table; # before a head: figures, set to the right
FNR == 1 { file++ }
file == 1 { split($0, pair, "\t"); fact[pair[1]] = pair[2]; next }

/^@text / { copy($2); next }
/^@table / { heads = $0; sub(/^@table +[^ ]+ +/, "", heads); table($2, heads); next }
{
  rest = $0; out = ""
  while (match(rest, /%[a-z_]+%/)) {
    key = substr(rest, RSTART + 1, RLENGTH - 2)
    if (!(key in fact)) { print "report.awk: the template asks for %" key "%, which totals.tsv does not have" > "/dev/stderr"; exit 1 }
    out = out substr(rest, 1, RSTART - 1) esc(fact[key]); rest = substr(rest, RSTART + RLENGTH)
  }
  print out rest
}

function copy(path,   row, status) {
  while ((status = (getline row < path)) > 0) print row
  if (status < 0) { print "report.awk: cannot read " path > "/dev/stderr"; exit 1 }
  close(path)
}

function table(path, heads,   n, i, head, cell, row, rows, status, class) {
  n = split(heads, head, "|")
  while ((status = (getline row < path)) > 0) {
    if (++rows == 1) {
      printf "<table><thead><tr>"
      for (i = 1; i <= n; i++) {
        class[i] = head[i] ~ /^#/ ? " class=\"n\"" : ""; sub(/^#/, "", head[i])
        printf "<th%s>%s</th>", class[i], esc(head[i])
      }
      print "</tr></thead><tbody>"
    }
    split(row, cell, "\t"); printf "<tr>"
    for (i = 1; i <= n; i++) printf "<td%s>%s</td>", class[i], esc(cell[i])
    print "</tr>"
  }
  if (status < 0) { print "report.awk: cannot read " path > "/dev/stderr"; exit 1 }
  close(path)
  print rows ? "</tbody></table>" : "<p class=\"empty\">None.</p>"
}
