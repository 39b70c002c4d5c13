#!/bin/bash
# crontab: 15 2 * * *  cd /srv/sales && flock -n lock ./nightly.sh 2026-11-29 || mail -s "sales failed" ops
set -euo pipefail
day=$1
mkdir -p work reports
for attempt in 1 2 3; do cp "inbox/$day.csv" "work/$day.raw" && break || sleep 1; done
awk -F, 'NR > 1 && $3 != ""' "work/$day.raw" | sort > "work/$day.clean"
awk -F, '{ sum += $3 } END { print "total " sum }' "work/$day.clean" > "reports/$day.txt"
awk -F, '{ print $2 " " $3 }' "work/$day.clean" >> "reports/$day.txt"
