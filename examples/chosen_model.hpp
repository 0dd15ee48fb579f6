#pragma once

#include <string>

#include <effnet/arch/models.hpp>
#include <effnet/tables.hpp>

namespace example {

/// The network that a user named: one of effnet's, or a table in FILE.json.
inline effnet::named_model choose_model(const std::string& name_or_file) {
  if (name_or_file.ends_with(".json"))
    return {.spec = effnet::read_spec(name_or_file), .family = {}};
  return effnet::model_by_name(name_or_file);
}

}  // namespace example
