#!/bin/sh
# Turns one page into HTML: a line that begins with "# " is the title, every other a paragraph.
set -eu
echo '<!doctype html><link rel="stylesheet" href="style.css">'
sed -e 's/&/\&amp;/g; s/</\&lt;/g' -e 's,^# \(.*\),<h1>\1</h1>,' -e '/^</!s,.*,<p>&</p>,' "$1"
