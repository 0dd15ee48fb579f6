#pragma once

#include <algorithm>
#include <initializer_list>
#include <string>
#include <string_view>

#include "program.hpp"

namespace example {

/// Throws `usage_error` where an option was given that would be without effect: any that is not
/// among `allowed`.
inline void refuse_others(const CLI::App& app, std::initializer_list<std::string_view> allowed,
                          const std::string& why) {
  for (const CLI::Option* option : app.get_options()) {
    if (option->count() == 0) continue;
    const std::string name = option->get_name();
    if (std::find(allowed.begin(), allowed.end(), name) == allowed.end())
      throw usage_error(why + "; leave out " + name);
  }
}

/// The same where one of `without_effect` was given.
inline void refuse(const CLI::App& app, std::initializer_list<const char*> without_effect,
                   const std::string& why) {
  for (const char* name : without_effect)
    if (app.count(name) > 0) throw usage_error(why + "; leave out " + name);
}

}  // namespace example
