#pragma once

#include <memory>
#include <string>
#include <utility>
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
  std::vector<std::unique_ptr<search_record>> searches;
  html_page page(chosen.journals.size() > 1 ? "Architecture searches" : "Architecture search");
  std::string sections;
  text_table overview = search_report::overview();
  std::vector<std::pair<std::string, journal_text>> read;
  for (const std::string& path : chosen.journals) read.emplace_back(path, journal::read(path));
  for (const auto& [path, text] : read)
    if (value_of<std::string>(text.header, "kind", path) == "search") {
      searches.push_back(
          std::make_unique<search_record>(record_of(text.header, text.entries, path)));
      search_report(*searches.back()).add_row(overview);
    }
  if (searches.size() > 1) page.add("<h2>All searches</h2>" + html_table(overview));
  std::size_t next = 0;
  for (const auto& [path, text] : read) {
    if (read.size() > 1) page.add("<h2>" + escaped(path) + "</h2>\n");
    if (value_of<std::string>(text.header, "kind", path) == "search")
      search_report(*searches[next++]).add_to(page);
    else
      add_scaling_report(page, scaling_record_of(text.header, text.entries, path));
  }
  page.write(chosen.out);
  std::printf("%s\n", chosen.out.c_str());
}

}  // namespace example
