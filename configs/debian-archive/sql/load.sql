-- Loads the tables into a new database. Nothing here depends on the time or on the machine: same tables, same bytes.
.bail on
.output /dev/null
PRAGMA journal_mode = off;
PRAGMA synchronous = off;
.output
CREATE TABLE packages (package TEXT PRIMARY KEY, version TEXT, section TEXT, architecture TEXT, kib INTEGER, bytes INTEGER,
                       source TEXT, maintainer TEXT, priority TEXT, summary TEXT) WITHOUT ROWID;
CREATE TABLE degree (package TEXT PRIMARY KEY, needed_by INTEGER, needs INTEGER) WITHOUT ROWID;
CREATE TABLE machine (package TEXT PRIMARY KEY, installed TEXT, candidate TEXT, state TEXT, section TEXT, kib INTEGER) WITHOUT ROWID;
.mode ascii
.separator "\t" "\n"
BEGIN;
.import debian-archive/out/tables/packages.tsv packages
.import debian-archive/out/tables/degree.tsv degree
.import debian-archive/out/tables/machine.tsv machine
COMMIT;
CREATE INDEX packages_by_section ON packages (section, kib);
CREATE INDEX packages_by_maintainer ON packages (maintainer);
