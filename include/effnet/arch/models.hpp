#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include <effnet/arch/convention.hpp>
#include <effnet/arch/fused_ablation.hpp>
#include <effnet/arch/lite_tables.hpp>
#include <effnet/arch/resnet_tables.hpp>
#include <effnet/arch/v2_tables.hpp>
#include <effnet/core/error.hpp>

namespace effnet {

/// Every network that is known by name, in the order of the papers.
inline constexpr std::array<const network_spec*, 31> models = {
    &b0,
    &b1,
    &b2,
    &b3,
    &b4,
    &b5,
    &b6,
    &b7,
    &b8,
    &l2,
    &lite0,
    &lite1,
    &lite2,
    &lite3,
    &lite4,
    &v2_b0,
    &v2_b1,
    &v2_b2,
    &v2_b3,
    &v2_s,
    &v2_m,
    &v2_l,
    &v2_xl,
    &resnet50,
    &resnet152,
    &b4_fused_1_3,
    &b4_fused_1_5,
    &b4_fused_1_7,
    &published_fit::b4_fused_1_3,
    &published_fit::b4_fused_1_5,
    &published_fit::b4_fused_1_7,
};

/// A model as a user named it: its table, and the convention where the name tells it.
struct named_model {
  network_spec spec;
  std::optional<convention_name> family;  ///< tf for a leading `tf_`
};

/// Finds "efficientnet_b3", "tf_efficientnetv2_s", torchvision's "efficientnet_v2_s", "resnet50"
/// ...
inline std::optional<named_model> find_model(std::string_view name) {
  named_model found;
  if (name.starts_with("tf_")) {
    found.family = convention_name::tf;
    name.remove_prefix(3);
  }
  constexpr std::string_view torchvision_v2 = "efficientnet_v2_";
  std::string canonical(name);
  if (name.starts_with(torchvision_v2))
    canonical = "efficientnetv2_" + std::string(name.substr(torchvision_v2.size()));
  for (const network_spec* spec : models) {
    if (std::string_view(spec->name) != canonical) continue;
    found.spec = *spec;
    return found;
  }
  return std::nullopt;
}

/// The same; throws `spec_error` that lists the names where there is none.
inline named_model model_by_name(std::string_view name) {
  if (std::optional<named_model> found = find_model(name)) return *found;
  std::string known;
  for (const network_spec* spec : models)
    known += sentence(known.empty() ? "" : ", ", std::string_view(spec->name));
  throw spec_error(sentence("unknown model '", name, "'; known are ", known,
                            " (each also with a leading tf_), or give a table as FILE.json"));
}

}  // namespace effnet
