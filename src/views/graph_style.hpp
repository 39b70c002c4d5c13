// The colours of the looks, in light and dark. Knows no format.
#pragma once

#include "views/view_model.hpp"

namespace troupe_internal {

/// Colours as #rrggbb. Text on fill has a contrast of at least 7:1 in both schemes.
struct node_colours {
  const char* fill;
  const char* line;
};

struct scheme {
  const char* background;
  const char* text;
  const char* dim_text; ///< headings of groups, the legend
  const char* edge;
  const char* implied_edge;
  const char* group_fill;
  const char* group_line;
  node_colours nodes[node_look_count]; ///< by node_look
};

inline constexpr scheme light_scheme = {
    .background = "#ffffff",
    .text = "#1b1f27",
    .dim_text = "#5a6475",
    .edge = "#8591a3",
    .implied_edge = "#c3ccd9",
    .group_fill = "#f6f7f9",
    .group_line = "#dde1e8",
    .nodes = {{"#ffffff", "#5f6b7d"},  // source
              {"#eceff3", "#7f8a9b"},  // unknown
              {"#dff3e6", "#23804a"},  // fresh
              {"#fbf3cf", "#a17c0e"},  // maybe
              {"#fde8cf", "#bd6613"},  // stale
              {"#dcebfd", "#1d5fc4"},  // running
              {"#fcdedc", "#c02a25"}}, // failed
};

inline constexpr scheme dark_scheme = {
    .background = "#12151a",
    .text = "#e7eaf0",
    .dim_text = "#98a3b5",
    .edge = "#6e7a8c",
    .implied_edge = "#434e5e",
    .group_fill = "#191d24",
    .group_line = "#2c333e",
    .nodes = {{"#12151a", "#8b97a9"},
              {"#252b35", "#77839a"},
              {"#143320", "#45b872"},
              {"#362f10", "#cfab35"},
              {"#3d2911", "#e39145"},
              {"#13294b", "#65a2f7"},
              {"#441a1a", "#ee6f69"}},
};

} // namespace troupe_internal
