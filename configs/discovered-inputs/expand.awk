# Replaces each line "@include FILE" (beside the page) by that file's content, and reports the files it read to $TROUPE_RESULT.
# usage: awk -v out=FILE -f expand.awk PAGE
BEGIN { printf "" > out }

FNR == 1 { folder = FILENAME; sub(/[^\/]*$/, "", folder) }

/^@include / {
  path = folder $2; status = -1
  while ((status = (getline row < path)) > 0) { print row > out; lines++ }
  if (status < 0) { print FILENAME ":" FNR ": cannot read " path > "/dev/stderr"; failed = 1; exit 1 }
  close(path)
  found = found (found == "" ? "" : ", ") "\"" path "\""
  next
}
{ print > out; lines++ }

END {
  if (!failed && ENVIRON["TROUPE_RESULT"] != "")
    printf "{\"inputs\": [%s], \"metadata\": {\"lines\": %d}}\n", found, lines > ENVIRON["TROUPE_RESULT"]
}
