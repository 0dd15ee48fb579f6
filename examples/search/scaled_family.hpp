#pragma once

#include <cmath>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <effnet/arch/count.hpp>
#include <effnet/arch/models.hpp>
#include <effnet/arch/scaling.hpp>
#include <effnet/io/table_code.hpp>
#include <effnet/search/nonuniform_scaling.hpp>

#include "text_table.hpp"

namespace example {

/// A network scaled by `phi`, and the published one of that place.
struct family_member {
  int phi = 0;
  effnet::scaling by;
  effnet::network_spec spec;
  std::optional<effnet::network_spec> published;
};

/// A network and what compound scaling makes of it (EfficientNet, section 3.3), or non-uniform
/// scaling (EfficientNetV2, section 3.3).
class scaled_family {
 public:
  /// Throws `effnet::spec_error` for constants that are none of compound scaling.
  scaled_family(const effnet::network_spec& base, const effnet::nonuniform_scaling& by,
                int most_phi)
      : base_(base), constants_(by.constants), by_(by) {
    const effnet::compound_constants& constants = by.constants;
    if (!(constants.alpha >= 1 && constants.beta >= 1 && constants.gamma >= 1))
      throw effnet::spec_error(effnet::sentence(
          "compound scaling makes networks larger: alpha, beta and gamma have to be at least 1, "
          "but are ",
          constants.alpha, ", ", constants.beta, " and ", constants.gamma));
    if (!constants.holds_flops_constraint())
      throw effnet::spec_error(effnet::sentence(
          "alpha * beta^2 * gamma^2 has to be about 2, so that FLOPs double with phi, but is ",
          fixed(constants.flops_ratio(), 3)));
    for (int phi = 0; phi <= most_phi; ++phi) members_.push_back(member(phi));
  }

  const std::vector<family_member>& members() const { return members_; }

  void print() const {
    using enum text_table::side;
    text_table table;
    for (const char* title : {"phi", "width", "depth", "size", "parameters", "MACs (G)", "x base"})
      table.column(title);
    table.column("published", left);
    for (const char* title : {"width", "depth", "size", "parameters", "MACs (G)"})
      table.column(title);
    const double unit = macs(members_.front().spec);
    for (const family_member& m : members_) {
      std::vector<std::string> row = {std::to_string(m.phi),
                                      fixed(m.by.width, 3),
                                      fixed(m.by.depth, 3),
                                      std::to_string(m.spec.eval_size),
                                      grouped(effnet::count_parameters(m.spec)),
                                      fixed(macs(m.spec) / 1e9, 3),
                                      fixed(macs(m.spec) / unit, 2)};
      if (m.published) {
        const effnet::network_spec& p = *m.published;
        const auto& coefficients = published_coefficients[static_cast<std::size_t>(m.phi)];
        row.insert(row.end(), {p.name.text, fixed(coefficients.first, 1),
                               fixed(coefficients.second, 1), std::to_string(p.eval_size),
                               grouped(effnet::count_parameters(p)), fixed(macs(p) / 1e9, 3)});
      }
      table.row(std::move(row));
    }
    std::printf(
        "%s scaled by alpha %.4g (depth), beta %.4g (width), gamma %.4g (size): alpha "
        "beta^2 gamma^2 = %.3f\n\n%s",
        base_.name.text, constants_.alpha, constants_.beta, constants_.gamma,
        constants_.flops_ratio(), table.text().c_str());
  }
  nlohmann::ordered_json json() const {
    nlohmann::ordered_json all = {{"base", base_.name.text},
                                  {"alpha", constants_.alpha},
                                  {"beta", constants_.beta},
                                  {"gamma", constants_.gamma},
                                  {"flops_ratio", constants_.flops_ratio()},
                                  {"networks", nlohmann::ordered_json::array()}};
    for (const family_member& m : members_)
      all["networks"].push_back({{"name", m.spec.name.text},
                                 {"phi", m.phi},
                                 {"width", m.by.width},
                                 {"depth", m.by.depth},
                                 {"size", m.spec.eval_size},
                                 {"parameters", effnet::count_parameters(m.spec)},
                                 {"macs", effnet::count_macs(m.spec, m.spec.eval_size)}});
    return all;
  }
  /// The tables as C++.
  std::string code() const {
    std::string text = "#include <effnet/v1.hpp>\n";
    for (const family_member& m : members_) text += "\n" + effnet::code_of(m.spec);
    return text;
  }

 private:
  /// Width and depth of B0 to B7 (efficientnet_builder.py), which are not powers of constants.
  static constexpr std::pair<double, double> published_coefficients[] = {
      {1.0, 1.0}, {1.0, 1.1}, {1.1, 1.2}, {1.2, 1.4},
      {1.4, 1.8}, {1.6, 2.2}, {1.8, 2.6}, {2.0, 3.1}};

  static double macs(const effnet::network_spec& spec) {
    return static_cast<double>(effnet::count_macs(spec, spec.eval_size));
  }
  family_member member(int phi) const {
    family_member m{.phi = phi, .by = {}, .spec = {}, .published = {}};
    m.by = effnet::compound_scaling(constants_, phi, base_.eval_size);
    m.spec = effnet::nonuniform_scaled(base_, by_, phi);
    m.spec.name = effnet::spec_name(effnet::sentence(std::string_view(base_.name), "_phi", phi));
    const effnet::network_spec* b0 = published(0);
    if (b0 != nullptr && base_ == *b0)
      if (const effnet::network_spec* of = published(phi)) m.published = *of;
    return m;
  }
  static const effnet::network_spec* published(int phi) {
    if (phi > 7) return nullptr;
    const std::string name = effnet::sentence("efficientnet_b", phi);
    for (const effnet::network_spec* spec : effnet::models)
      if (std::string_view(spec->name) == name) return spec;
    return nullptr;
  }

  effnet::network_spec base_;
  effnet::compound_constants constants_;
  effnet::nonuniform_scaling by_;
  std::vector<family_member> members_;
};

}  // namespace example
