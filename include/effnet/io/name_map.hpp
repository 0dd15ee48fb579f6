#pragma once

#include <cstddef>
#include <map>
#include <string_view>

namespace effnet::detail {

/// From a name to an index: one kind of map for all that is found by name here, since every kind
/// costs compile time. The names must outlive it.
using name_map = std::map<std::string_view, std::size_t>;

}  // namespace effnet::detail
