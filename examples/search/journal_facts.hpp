#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "program.hpp"
#include "search/entry_reader.hpp"
#include "search/held_out_data.hpp"
#include "version.hpp"

namespace example {

/// What results depend on besides the settings.
inline void add_facts(nlohmann::ordered_json& header, std::size_t pictures) {
  header["pictures"] = pictures;
  header["program"] = "effnet " EFFNET_VERSION;
  header["processor"] = instruction_sets();
}
/// Throws `effnet::error` for other data; warns of another program or processor, whose networks are
/// not bit by bit the same.
inline void check_facts(const program& program, const entry_reader& header,
                        const std::string& data) {
  const std::uint64_t before = header.whole("pictures", 0, std::uint64_t{1} << 40);
  const std::size_t pictures = open_held_out(data).train.count();
  if (pictures != before)
    throw effnet::error(effnet::sentence("the data ", effnet::path_in_quotes(data), " have ",
                                         pictures, " pictures to train on, but had ", before,
                                         " when the search began; give it the same data"));
  const auto warn = [&](const char* key, const std::string& now) {
    if (const std::string then = header.text(key); then != now)
      program.report(effnet::sentence("warning: the search began with ", key, ' ',
                                      effnet::in_quotes(then), ", this is ", effnet::in_quotes(now),
                                      "; results may differ from those of an unbroken search"));
  };
  warn("program", "effnet " EFFNET_VERSION);
  warn("processor", instruction_sets());
}

}  // namespace example
