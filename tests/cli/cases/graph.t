The graph, in all its forms.

  $ cat > troupe.json <<'END'
  > {
  >   "name": "g",
  >   "assets": {
  >     "raw": { "outputs": ["raw.txt"] },
  >     "part": { "matrix": { "x": ["a", "b"] }, "command": "cp raw.txt {{ matrix.x }}.txt", "inputs": ["raw.txt"], "outputs": ["{{ matrix.x }}.txt"], "group": "parts" },
  >     "all": { "command": "cat a.txt b.txt > all.txt", "deps": ["part"], "outputs": ["all.txt"] },
  >   }
  > }
  > END
  $ troupe graph
  g: 4 assets, 4 dependencies; 3 stale, 1 source
  
  1  ▫ raw  source
  2  ○ part[a]  stale  parts  ← raw
     ○ part[b]  stale  parts  ← raw
  3  ○ all  stale  ← part[*]
  $ troupe graph --no-status +part[a]
  g: 2 assets, 1 dependency; 1 source
  
  1  ▫ raw  source
  2  · part[a]  parts  ← raw
  $ troupe graph --no-status --format mermaid
  flowchart LR
    subgraph g0["parts"]
      n1("part#91;a#93;"):::unknown
      n2("part#91;b#93;"):::unknown
    end
    n0[("raw")]:::source
    n3("all"):::unknown
    n0 --> n1
    n0 --> n2
    n1 --> n3
    n2 --> n3
    classDef source fill:#ffffff,stroke:#5f6b7d,color:#1b1f27
    classDef unknown fill:#eceff3,stroke:#7f8a9b,color:#1b1f27
  $ troupe graph --json | keys
  edges format nodes pipeline
  $ troupe graph --json | keys nodes.0
  asset description group inputs kind matrix name outputs status tags
  $ troupe graph --json | keys edges.0
  from kind to via
  $ troupe graph --format dot | head -1
  digraph "g" {
  $ PATH=$(dirname $(command -v troupe)) troupe graph --format svg
  error: an SVG needs Graphviz, whose program "dot" is not installed: apt-get install graphviz (on other systems the package is called graphviz too); --format dot and --format mermaid need nothing
  [2]
