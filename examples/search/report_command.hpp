#pragma once

#include <cstddef>
#include <cstdio>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "html_table.hpp"
#include "output_file.hpp"
#include "program.hpp"
#include "search/journal.hpp"
#include "search/scaling_report.hpp"
#include "search/search_report.hpp"

namespace example {

struct report_options {
  std::vector<std::string> journals;
  std::string out = "report.html";
};

inline void add_report(CLI::App& app, report_options& chosen) {
  app.add_option("JOURNAL", chosen.journals, "Of 'search run' or 'search scale', one or more")
      ->required()
      ->type_name("");
  app.add_option("--out", chosen.out, "The page (default report.html)")->type_name("FILE");
}

/// Writes a page about what journals tell.
inline void write_search_report(const report_options& chosen) {
  require_writable(chosen.out);
  constexpr std::string_view kinds[] = {"search", "scale"};
  std::vector<std::variant<search_record, scaling_record>> records;
  text_table overview = search_report::overview();
  for (const std::string& path : chosen.journals) {
    const journal_text text = journal::read(path);
    if (text.header().one_of("kind", kinds) == "scale") {
      records.emplace_back(scaling_record_of(text));
      continue;
    }
    records.emplace_back(search_record_of(text));
    search_report(std::get<search_record>(records.back())).add_row(overview, path);
  }
  html_page page("Searches");
  if (overview.rows().size() > 1) page.add("<h2>All searches</h2>" + html_table(overview));
  for (std::size_t i = 0; i < records.size(); ++i) {
    page.add("<h2>" + escaped(chosen.journals[i]) + "</h2>\n");
    if (const auto* search = std::get_if<search_record>(&records[i]))
      search_report(*search).add_to(page);
    else
      add_scaling_report(page, std::get<scaling_record>(records[i]));
  }
  page.write(chosen.out);
  std::printf("%s\n", chosen.out.c_str());
}

}  // namespace example
