#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include <effnet/io/atomic_file.hpp>

#include "chart_style.hpp"

namespace example {

/// Text between or inside tags.
inline std::string escaped(std::string_view text) {
  std::string html;
  for (char c : text) switch (c) {
      case '&':
        html += "&amp;";
        break;
      case '<':
        html += "&lt;";
        break;
      case '>':
        html += "&gt;";
        break;
      case '"':
        html += "&quot;";
        break;
      default:
        html += c;
    }
  return html;
}

/// A JPEG as an address, so that a page needs no other file.
inline std::string jpeg_address(std::span<const std::byte> jpeg) {
  static constexpr char digits[] =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text = "data:image/jpeg;base64,";
  for (std::size_t i = 0; i < jpeg.size(); i += 3) {
    std::uint32_t bits = 0;
    for (std::size_t k = 0; k < 3; ++k)
      bits = bits << 8 | (i + k < jpeg.size() ? std::to_integer<std::uint32_t>(jpeg[i + k]) : 0u);
    for (std::size_t k = 0; k < 4; ++k)
      text += i + k > jpeg.size() ? '=' : digits[bits >> (18 - 6 * k) & 63];
  }
  return text;
}

/// A page of its own: no scripts, nothing loaded from elsewhere, light and dark. Charts have the
/// colours c0 to c4 of `page_colors`.
class html_page {
 public:
  explicit html_page(std::string_view title) {
    text_ += "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n";
    text_ += "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>";
    text_ += escaped(title);
    text_ += "</title>\n<style>";
    text_ += color_rules();
    text_ += style;
    text_ += chart_rules;
    text_ += "</style></head><body><main>\n<h1>" + escaped(title) + "</h1>\n";
  }

  void add(std::string_view html) { text_ += html; }

  /// A number worth seeing first.
  void tile(std::string_view value, std::string_view caption) {
    text_ += effnet::sentence("<div class=tile><b>", escaped(value), "</b><span>", escaped(caption),
                              "</span></div>\n");
  }

  /// Writes the page; throws `effnet::file_error`.
  void write(const std::string& path) const {
    effnet::atomic_file file(path);
    file.write(text_);
    file.write(std::string_view("</main></body></html>\n"));
    file.commit();
  }

 private:
  static constexpr std::string_view style =
      R"(*{box-sizing:border-box}body{margin:0;background:var(--back);color:var(--ink);
font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
main{max-width:1180px;margin:0 auto;padding:32px 24px 64px}h1{font-size:26px;font-weight:650;margin:0 0 4px}
h2{font-size:18px;font-weight:650;margin:40px 0 12px}p{margin:0 0 12px;color:var(--soft)}
.tiles{display:flex;flex-wrap:wrap;gap:12px;margin:20px 0}
.tile{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:12px 18px;min-width:130px}
.tile b{display:block;font-size:26px;font-weight:650;font-variant-numeric:tabular-nums}.tile span{color:var(--soft)}
.cards{display:grid;grid-template-columns:repeat(auto-fill,minmax(200px,1fr));gap:16px;margin-top:20px}
figure{margin:0;background:var(--card);border:1px solid var(--line);border-radius:10px;overflow:hidden}
figure img{display:block;width:100%;aspect-ratio:1;object-fit:cover}figcaption{padding:10px 12px 12px}
.file{color:var(--soft);font-size:12px;overflow:hidden;text-overflow:ellipsis;white-space:nowrap}
.guess{display:flex;justify-content:space-between;gap:8px;font-size:13px;margin-top:4px}
.file+.guess{font-weight:650}.guess span:first-child{overflow:hidden;text-overflow:ellipsis;white-space:nowrap}.guess span:last-child{font-variant-numeric:tabular-nums;white-space:nowrap}
.meter{height:4px;border-radius:2px;background:var(--line);margin-top:2px}
.meter i{display:block;height:100%;border-radius:2px;background:var(--bar)}
.good{color:var(--good)}.bad{color:var(--bad)}
.wide{overflow-x:auto}table{border-collapse:collapse;background:var(--card);border:1px solid var(--line);
border-radius:10px;font-size:14px}th,td{padding:6px 14px;text-align:left;border-bottom:1px solid var(--line)}
th{color:var(--soft);font-weight:500}td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}
tr:last-child td{border-bottom:0}td .meter{width:160px;height:6px}
pre{overflow-x:auto;background:var(--card);border:1px solid var(--line);border-radius:10px;padding:12px 16px;font-size:13px}
.columns{display:flex;flex-wrap:wrap;gap:32px}svg text{fill:var(--ink);font-size:12px}
.charts{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(480px,100%),1fr));gap:16px}
.chart{width:100%;background:var(--card);border:1px solid var(--line);border-radius:10px}
.batch{display:grid;grid-template-columns:repeat(auto-fill,minmax(80px,1fr));gap:4px;margin-bottom:16px}.batch img{width:100%;border-radius:4px}
)";
  std::string text_;
};

}  // namespace example
