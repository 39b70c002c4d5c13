// Boost.JSON, compiled into the shared object: nothing of it can be seen from outside, whatever Boost the host has.
#include <boost/json/src.hpp>
