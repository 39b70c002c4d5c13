// Troupe inside a C++ program: everything but codecs of maps (troupe/map.hpp).
#pragma once

#include "troupe/engine.hpp"
