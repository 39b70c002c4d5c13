Output nobody reads is no error; output that is lost is.

  $ troupe init >/dev/null
  $ bash -c 'set -o pipefail; troupe help-me 2>&1 | head -0; troupe schema | head -1'
  {
  $ troupe schema > /dev/full
  error: cannot write to standard output: No space left on device
  [1]
  $ troupe run -j 1 | head -0; troupe runs --json | keys runs.0.counts
  succeeded

Colours only where they are asked for.

  $ troupe runs | grep -c $'\e'
  0
  [1]
  $ troupe runs --color always | grep -c $'\e'
  2
  $ NO_COLOR=1 troupe runs --color always | grep -c $'\e'
  2
  $ troupe version --color sometimes
  error: --color takes auto, always or never, not 'sometimes'
  'troupe version --help' tells more
  [2]

Scripts for shells; names for them.

  $ troupe completions bash | bash -n && echo fine
  fine
  $ troupe __complete assets
  numbers
  squares
  digits[numbers]
  digits[squares]
  report
  $ troupe __complete runs
  1
  latest
  $ troupe schema | keys
  $schema additionalProperties definitions description properties required title type
