#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>
#include <vector>

namespace example {

/// Letters as strokes, so that they can be drawn smoothly at any size without a font file.
///
/// A glyph is a list of polylines, each a row of points: x and y as one hexadecimal digit each, y
/// downwards: 0 the top of capitals, 3 of small letters, 8 the base line, a of descenders. A
/// polyline after '~' is rounded off; one that ends where it began is closed; two equal points are
/// a dot. In ASCII order from the space.
inline constexpr std::array<std::string_view, 95> stroke_glyphs = {
    "",                                   // space
    "0005 0808",                          // !
    "0002 2022",                          // "
    "1008 4038 0252 0656",                // #
    "~5250200004245458280806 2129",       // $
    "~0020230300 ~4565684845 6008",       // %
    "~6814003040140508284865",            // &
    "0002",                               // '
    "~2002082a",                          // (
    "~0022280a",                          // )
    "2125 0244 0442",                     // *
    "2327 0545",                          // +
    "170a",                               // ,
    "0535",                               // -
    "0808",                               // .
    "4008",                               // /
    "~0050580800",                        // 0
    "123038",                             // 1
    "~0200505408 0858",                   // 2
    "~0100505424 ~2454580807",            // 3
    "48400656",                           // 4
    "500003 ~0353580807",                 // 5
    "~51500005 ~0353580803",              // 6
    "005018",                             // 7
    "~0050540400 ~0454580804",            // 8
    "~0050550500 ~53580807",              // 9
    "0404 0808",                          // :
    "1414 170a",                          // ;
    "420548",                             // <
    "0444 0646",                          // =
    "024508",                             // >
    "~020040432526 2828",                 // ?
    "~2353572723 ~55577774 ~7470000969",  // @
    "083068 1555",                        // A
    "0008 ~003050543404 ~043464683808",   // B
    "~626030000408386866",                // C
    "0008 ~003060683808",                 // D
    "50000858 0444",                      // E
    "500008 0444",                        // F
    "~626030000408386865 6545",           // G
    "0008 6068 0464",                     // H
    "0008",                               // I
    "~4046480806",                        // J
    "0008 5005 2358",                     // K
    "000848",                             // L
    "0800356068",                         // M
    "08005850",                           // N
    "~0060680800",                        // O
    "0008 ~003060653505",                 // P
    "~0060680800 4669",                   // Q
    "0008 ~003060643404 3468",            // R
    "~5250200004245458280806",            // S
    "0060 3038",                          // T
    "~000508586560",                      // U
    "003860",                             // V
    "0028426880",                         // W
    "0058 5008",                          // X
    "003460 3438",                        // Y
    "00500858",                           // Z
    "20000a2a",                           // [
    "0048",                               // backslash
    "00202a0a",                           // ]
    "032043",                             // ^
    "0a5a",                               // _
    "0011",                               // `
    "~0343480803 4348",                   // a
    "0008 ~0343480803",                   // b
    "~4443230308284847",                  // c
    "4048 ~0343480803",                   // d
    "0545 ~4543230308284847",             // e
    "~30101318 0333",                     // f
    "~0343480803 ~43484b0b0a",            // g
    "0008 ~0503434548",                   // h
    "0308 0101",                          // i
    "~13191a0a 1111",                     // j
    "0008 4306 1548",                     // k
    "0008",                               // l
    "0308 ~0503333538 ~3533636568",       // m
    "0308 ~0503434548",                   // n
    "~0343480803",                        // o
    "030b ~0343480803",                   // p
    "434b ~0343480803",                   // q
    "0308 ~050333",                       // r
    "~4443030546480807",                  // s
    "~11161838 0333",                     // t
    "~0306084846 4348",                   // u
    "032843",                             // v
    "0318345863",                         // w
    "0348 4308",                          // x
    "0328 431b",                          // y
    "03430848",                           // z
    "~3010140505 ~05161a3a",              // {
    "000a",                               // |
    "~0020240535 ~35262a0a",              // }
    "~060424464644",                      // ~
};

struct stroke_point {
  float x, y;
};

namespace detail {

/// Cuts the corners of a polyline (Chaikin): two rounds come close to a quadratic spline.
inline std::vector<stroke_point> rounded_off(std::vector<stroke_point> line) {
  for (int round = 0; round < 3; ++round) {
    const bool closed =
        line.size() > 3 && line.front().x == line.back().x && line.front().y == line.back().y;
    std::vector<stroke_point> finer;
    if (!closed) finer.push_back(line.front());
    for (std::size_t i = 0; i + 1 < line.size(); ++i) {
      const stroke_point a = line[i], b = line[i + 1];
      const bool first = !closed && i == 0, last = !closed && i + 2 == line.size();
      if (!first) finer.push_back({a.x * 0.75f + b.x * 0.25f, a.y * 0.75f + b.y * 0.25f});
      if (!last) finer.push_back({a.x * 0.25f + b.x * 0.75f, a.y * 0.25f + b.y * 0.75f});
    }
    finer.push_back(closed ? finer.front() : line.back());
    line = std::move(finer);
  }
  return line;
}

}  // namespace detail

/// A character ready to draw, in units of an eighth of the height of capitals.
struct stroke_glyph {
  std::vector<std::vector<stroke_point>> lines;
  float width = 0;  ///< of the strokes' middles; the gap to the next one is the drawer's
};

/// Whether a byte is UTF-8's second or later of a character: one that is not ASCII is drawn once.
inline bool continues_character(char c) {
  return (static_cast<unsigned char>(c) & 0xC0) == 0x80;
}

inline stroke_glyph glyph_of(char c) {
  if (c < ' ' || c > '~') c = '?';
  std::string_view text = stroke_glyphs[static_cast<std::size_t>(c - ' ')];
  stroke_glyph glyph;
  if (c == ' ') glyph.width = 1.5f;
  if (c >= '0' && c <= '9') glyph.width = 5;  // figures below each other line up
  const auto digit = [](char d) { return static_cast<float>(d >= 'a' ? d - 'a' + 10 : d - '0'); };
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find(' '));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    const bool smooth = line.starts_with('~');
    std::vector<stroke_point> points;
    for (std::size_t i = smooth; i + 1 < line.size(); i += 2) {
      points.push_back({digit(line[i]), digit(line[i + 1])});
      glyph.width = std::max(glyph.width, points.back().x);
    }
    glyph.lines.push_back(smooth ? detail::rounded_off(std::move(points)) : std::move(points));
  }
  return glyph;
}

}  // namespace example
