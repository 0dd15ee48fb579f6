// Whatever the text, a page tells what the journal holds, or an effnet::error what is wrong.

#include <cstdint>

#include "html_page.hpp"
#include "search/scaling_report.hpp"
#include "search/search_report.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace example;
  constexpr std::string_view kinds[] = {"search", "scale"};
  html_page page("A journal");
  try {
    const journal_text text =
        parse_journal({reinterpret_cast<const char*>(data), size}, "a journal");
    if (text.header().one_of("kind", kinds) == "scale") {
      add_scaling_report(page, scaling_record_of(text));
    } else {
      const search_record record = search_record_of(text);
      search_report(record).add_to(page);
    }
  } catch (const effnet::error&) {
  }
  return 0;
}
