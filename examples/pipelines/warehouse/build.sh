#!/bin/sh
# Loads the seeds, builds the models in order, checks and exports.
set -eu
mkdir -p out
rm -f out/shop.db
sqlite3 out/shop.db ".mode csv" ".import seeds/customers.csv customers" ".import seeds/orders.csv orders"
sqlite3 -bail out/shop.db < models/paid_orders.sql
sqlite3 -bail out/shop.db < models/totals.sql
bad=$(sqlite3 out/shop.db "SELECT COUNT(*) FROM totals WHERE total <= 0")
[ "$bad" = 0 ] || { echo "$bad totals are not positive" >&2; exit 1; }
sqlite3 -csv -header out/shop.db "SELECT * FROM totals ORDER BY name" > out/totals.csv
