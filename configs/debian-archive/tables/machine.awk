# Says of each installed package whether the archive offers this version. Input: package, installed, on offer, section, KiB
# Columns: package, installed, on offer, state (same, differs, local: not on offer at all), section, KiB
BEGIN { FS = OFS = "\t" }
{ print $1, $2, $3, $3 == "" ? "local" : ($2 == $3 ? "same" : "differs"), $4, $5 }
