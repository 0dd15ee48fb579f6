#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace example {

/// A colour of pages and charts, `var(--name)` in their styles.
struct page_color {
  std::string_view name, light, dark;
};

inline constexpr page_color page_colors[] = {
    {"ink", "#1c2128", "#e4e7eb"},  {"soft", "#667080", "#98a2b0"}, {"line", "#dfe3e8", "#333a44"},
    {"back", "#f6f7f9", "#14171b"}, {"card", "#fff", "#1d2127"},    {"good", "#1f7a5c", "#57b894"},
    {"bad", "#b4412f", "#e0806f"},  {"bar", "#3f6fb5", "#6d9be0"},  {"c0", "#3f6fb5", "#6d9be0"},
    {"c1", "#c2661e", "#e39a57"},   {"c2", "#1f7a5c", "#57b894"},   {"c3", "#8a4fa8", "#bb8bd8"},
    {"c4", "#6b7683", "#98a2b0"}};

/// The rules of a page that make the colours known, light and dark.
inline std::string color_rules() {
  std::string light, dark;
  for (const page_color& one : page_colors) {
    light.append("--").append(one.name).append(":").append(one.light).append(";");
    dark.append("--").append(one.name).append(":").append(one.dark).append(";");
  }
  return ":root{" + light + "color-scheme:light dark}\n@media(prefers-color-scheme:dark){:root{" +
         dark + "}}\n";
}

/// With the light colours themselves in place of their names, for a picture that is opened by
/// programs without CSS variables.
inline std::string in_light_colors(std::string text) {
  for (const page_color& one : page_colors) {
    const std::string name = "var(--" + std::string(one.name) + ")";
    for (std::size_t at = 0; (at = text.find(name, at)) != std::string::npos;)
      text.replace(at, name.size(), one.light);
  }
  return text;
}

/// What a `line_chart` is drawn with.
inline constexpr std::string_view chart_rules =
    R"(.chart text{fill:var(--ink);font-size:12px}.chart text.soft{fill:var(--soft);font-size:11px}
.chart text.title{font-weight:650;font-size:13px}.chart path{fill:none}
.line{stroke-width:1.8;stroke-linejoin:round}.faint{stroke-width:1;opacity:.3}
.grid{stroke:var(--line);opacity:.7}.axis{stroke:var(--soft)}.band{fill:var(--line);opacity:.35}
)";

}  // namespace example
