// Whatever the text, a journal's reader tells what it holds, or a sentence: an effnet::error.

#include <cstdint>

#include "search/scaling_record.hpp"
#include "search/search_record.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    const example::journal_text text =
        example::parse_journal({reinterpret_cast<const char*>(data), size}, "a journal");
    if (example::value_of<std::string>(text.header, "kind", "a journal") == "scale")
      example::scaling_record_of(text.header, text.entries, "a journal");
    else
      example::record_of(text.header, text.entries, "a journal");
  } catch (const effnet::error&) {
  }
  return 0;
}
