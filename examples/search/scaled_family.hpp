#pragma once

#include <cstdio>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <effnet/arch/count.hpp>
#include <effnet/arch/scaling.hpp>
#include <effnet/io/table_code.hpp>
#include <effnet/search/nonuniform_scaling.hpp>
#include <effnet/v1.hpp>

#include "text_table.hpp"

namespace example {

/// A network scaled by `phi`, and the published one of that place.
struct family_member {
  double phi = 0;
  effnet::scaling by;
  effnet::network_spec spec;
  const effnet::network_spec* published = nullptr;
};

/// A network and what compound scaling makes of it (EfficientNet, section 3.3), or non-uniform
/// scaling (EfficientNetV2, section 3.3).
class scaled_family {
 public:
  /// Throws `effnet::spec_error` for constants that are none of compound scaling.
  scaled_family(const effnet::network_spec& base, const effnet::nonuniform_scaling& by,
                int most_phi)
      : base_(base), by_(by) {
    check();
    for (int phi = 0; phi <= most_phi; ++phi) members_.push_back(member(phi));
  }
  /// The base and networks of any phi.
  scaled_family(const effnet::network_spec& base, const effnet::nonuniform_scaling& by,
                const std::vector<std::pair<effnet::network_spec, double>>& scaled)
      : base_(base), by_(by) {
    check();
    members_.push_back(member(0));
    for (const auto& [spec, phi] : scaled)
      members_.push_back(
          {phi, effnet::compound_scaling(by_.constants, phi, base_.eval_size), spec});
  }

  const std::vector<family_member>& members() const { return members_; }

  text_table table() const {
    using enum text_table::side;
    text_table table;
    for (const char* title : {"phi", "width", "depth", "size", "parameters", "MACs (M)", "x base"})
      table.column(title);
    table.column("published", left);
    for (const char* title : {"size", "parameters", "MACs (M)"}) table.column(title);
    const double unit = macs(members_.front().spec);
    for (const family_member& m : members_) {
      std::vector<std::string> row = {fixed(m.phi, m.phi == std::floor(m.phi) ? 0 : 2),
                                      fixed(m.by.width, 3),
                                      fixed(m.by.depth, 3),
                                      std::to_string(m.spec.eval_size),
                                      grouped(effnet::count_parameters(m.spec)),
                                      fixed(macs(m.spec) / 1e6, 1),
                                      fixed(macs(m.spec) / unit, 2)};
      if (m.published != nullptr) {
        const effnet::network_spec& p = *m.published;
        row.insert(row.end(), {p.name.text, std::to_string(p.eval_size),
                               grouped(effnet::count_parameters(p)), fixed(macs(p) / 1e6, 1)});
      }
      table.row(std::move(row));
    }
    return table;
  }
  void print() const {
    std::printf(
        "%s scaled by alpha %.4g (depth), beta %.4g (width), gamma %.4g (size): alpha "
        "beta^2 gamma^2 = %.3f\n\n%s",
        base_.name.text, by_.constants.alpha, by_.constants.beta, by_.constants.gamma,
        by_.constants.flops_ratio(), table().text().c_str());
  }
  nlohmann::ordered_json json() const {
    nlohmann::ordered_json all = {{"base", base_.name.text},
                                  {"alpha", by_.constants.alpha},
                                  {"beta", by_.constants.beta},
                                  {"gamma", by_.constants.gamma},
                                  {"flops_ratio", by_.constants.flops_ratio()},
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
  void check() const {
    const effnet::compound_constants& constants = by_.constants;
    if (!(constants.alpha >= 1 && constants.beta >= 1 && constants.gamma >= 1))
      throw effnet::spec_error(effnet::sentence(
          "compound scaling makes networks larger: alpha, beta and gamma have to be at least 1, "
          "but are ",
          constants.alpha, ", ", constants.beta, " and ", constants.gamma));
    if (!constants.holds_flops_constraint())
      throw effnet::spec_error(effnet::sentence(
          "alpha * beta^2 * gamma^2 has to be about 2, so that FLOPs double with phi, but is ",
          fixed(constants.flops_ratio(), 3)));
  }
  static double macs(const effnet::network_spec& spec) {
    return static_cast<double>(effnet::count_macs(spec, spec.eval_size));
  }
  family_member member(int phi) const {
    family_member m{.phi = static_cast<double>(phi),
                    .by = effnet::compound_scaling(by_.constants, phi, base_.eval_size),
                    .spec = effnet::nonuniform_scaled(base_, by_, phi)};
    m.spec.name = effnet::spec_name(effnet::sentence(std::string_view(base_.name), "_phi", phi));
    if (base_ == effnet::b0 && phi <= 7) m.published = &published(phi);
    return m;
  }
  static const effnet::network_spec& published(int phi) {
    static constexpr const effnet::network_spec* family[] = {&effnet::b0, &effnet::b1, &effnet::b2,
                                                             &effnet::b3, &effnet::b4, &effnet::b5,
                                                             &effnet::b6, &effnet::b7};
    return *family[phi];
  }

  effnet::network_spec base_;
  effnet::nonuniform_scaling by_;
  std::vector<family_member> members_;
};

}  // namespace example
