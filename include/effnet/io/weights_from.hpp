#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <effnet/core/file_mapping.hpp>
#include <effnet/io/check_finite.hpp>
#include <effnet/io/in_quotes.hpp>
#include <effnet/io/name_map.hpp>
#include <effnet/io/tensor_index.hpp>
#include <effnet/io/weight_metadata.hpp>
#include <effnet/nn/tensors_of.hpp>
#include <effnet/nn/weights.hpp>

namespace effnet {

/// How to read weights. What is not set follows from the file.
struct read_options {
  std::optional<effnet::naming> naming;         ///< else the one with most names in the file
  std::optional<convention_name> convention;    ///< wins over the file's metadata
  std::optional<convention_name> model_family;  ///< what the model's name says (`tf_`): wins over
                                                ///< the naming, but not over metadata
  bool check_finite = true;                     ///< refuse NaN, infinity, impossible variances
};

namespace detail {

/// What distinguishes a file from what a network expects, as lists for one message.
struct mismatches {
  struct list {
    std::string text;
    std::size_t count = 0;
    void add(std::string_view item) {
      constexpr std::size_t most = 10;
      if (count++ < most) text += sentence(count > 1 ? ", " : "", item);
    }
    std::string closed(std::string_view title) const {
      constexpr std::size_t most = 10;
      if (count == 0) return "";
      return sentence("; ", count, " ", title, ": ", text,
                      count > most ? sentence(" and ", count - most, " more") : std::string());
    }
  };
  list missing, extra, misshapen, mistyped;
  bool only_classifier = true;  ///< no other tensor has another shape

  bool any() const { return missing.count + extra.count + misshapen.count + mistyped.count > 0; }
};

inline std::string shape_text(const tensor_spec& t) {
  return effnet::shape_text(
      std::vector<std::int64_t>(t.extents.begin(), t.extents.begin() + t.rank));
}

/// Compares a tensor with its place; notes what is wrong.
inline void check_tensor(const tensor_spec& expected, const std::string& name,
                         const raw_tensor& found, mismatches& wrong) {
  if (!has_shape(found, expected)) {
    wrong.misshapen.add(sentence(name, " expected ", shape_text(expected), " found ",
                                 effnet::shape_text(found.shape)));
    if (expected.of.role != layer_role::classifier) wrong.only_classifier = false;
  }
  const bool counter = expected.part == tensor_part::bn_num_batches;
  if (counter ? is_floating(found.type) : !is_floating(found.type))
    wrong.mistyped.add(sentence(name, " expected ", counter ? "I64" : "F32, F16, BF16 or F64",
                                " found ", name_of(found.type)));
}

[[noreturn]] inline void throw_mismatch(const state_dict& file, const network_spec& spec,
                                        naming names, const mismatches& wrong) {
  std::string remedy = "is this the model that the weights were made for?";
  const bool only_shapes =
      wrong.missing.count + wrong.extra.count + wrong.mistyped.count == 0 && wrong.only_classifier;
  if (only_shapes) {
    const network_spec adjusted = spec_for_file(file, spec);
    if (adjusted.classes != spec.classes)
      remedy = sentence("the file has ", adjusted.classes,
                        " classes: load it into with_classes(spec, ", adjusted.classes, ")");
  }
  throw weight_error(sentence(path_in_quotes(file.path), " does not fit ",
                              std::string_view(spec.name), " (", name_of(names), " naming)",
                              wrong.missing.closed("missing"), wrong.extra.closed("unexpected"),
                              wrong.misshapen.closed("of another shape"),
                              wrong.mistyped.closed("of another type"), "; ", remedy));
}

/// What follows from the naming alone. Lite weights in the lukemelas naming come from its Lite
/// fork.
inline convention_name family_of(naming names, const network_spec& spec) {
  switch (names) {
    case naming::timm:
      return convention_name::timm;
    case naming::torchvision:
      return convention_name::torchvision;
    case naming::lukemelas:
      return model_family(spec.name).lite || spec.act == activation::relu6 ? convention_name::lite
                                                                           : convention_name::tf;
  }
  return convention_name::tf;
}

inline void check_finite(const state_dict& file, const std::string& name,
                         const raw_tensor& tensor) {
  const std::optional<std::size_t> bad = first_not_finite(tensor);
  release_pages(tensor);
  if (bad)
    throw weight_error(sentence("tensor ", in_quotes(name), " of ", path_in_quotes(file.path),
                                " is infinite or not a number at element ", *bad,
                                "; the weights are damaged or training diverged"));
}

inline void check_variance(const state_dict& file, const std::string& name,
                           const raw_tensor& tensor, float eps) {
  std::vector<float> values(tensor.elements());
  widen(tensor.type, tensor.data, values.size(), values.data());
  for (std::size_t i = 0; i < values.size(); ++i)
    if (!(values[i] + eps > 0))  // a sum that rounding left just below 0 is harmless
      throw weight_error(sentence("tensor ", in_quotes(name), " of ", path_in_quotes(file.path),
                                  " holds a negative variance at element ", i,
                                  "; the weights are damaged"));
}

}  // namespace detail

/// The tensors of `file` as weights of `spec`; they share the file's bytes. Every tensor of the
/// network must be there with its shape and a floating type (`num_batches_tracked` may be absent),
/// and nothing else. The convention is `options.convention`, else that of the naming (Lite tables
/// in the lukemelas naming: lite; lukemelas: tf; timm and torchvision: their own) or of
/// `options.model_family`, with what the file's metadata says on top. Throws `weight_error` with
/// all that does not fit, `file_error` for senseless metadata.
inline weights weights_from(const state_dict& file, const network_spec& spec,
                            const read_options& options = {}) {
  const detail::tensor_index index(file);
  const std::optional<naming> names =
      options.naming ? options.naming : detail::detect_naming(index, spec);
  if (!names)
    throw weight_error(sentence(path_in_quotes(file.path), " has no tensor of ",
                                std::string_view(spec.name), " in any naming",
                                file.tensors.empty()
                                    ? std::string()
                                    : sentence("; its first is ", in_quotes(file.tensors[0].first)),
                                "; is this the model that the weights were made for?"));
  weights loaded{.spec = spec, .rule = {}, .tensors = {}, .labels = {}};
  std::vector<std::string> expected;
  detail::mismatches wrong;
  for (const tensor_spec& t : tensors_of(spec)) {
    const std::string& name = expected.emplace_back(tensor_name(*names, spec, t));
    const raw_tensor* found = index.find(name);
    if (found != nullptr)
      detail::check_tensor(t, name, *found, wrong);
    else if (t.part != tensor_part::bn_num_batches)
      wrong.missing.add(sentence(name, " ", detail::shape_text(t)));
    raw_tensor& place = loaded.tensors.emplace_back();
    if (found != nullptr)
      place = *found;
    else
      place.type = dtype::i64;  // an absent counter: no data
  }
  detail::name_map known;
  for (const std::string& name : expected) known.emplace(name, known.size());
  for (const auto& [name, tensor] : file.tensors)
    if (!known.contains(name))
      wrong.extra.add(sentence(in_quotes(name), " ", shape_text(tensor.shape)));
  if (wrong.any()) detail::throw_mismatch(file, spec, *names, wrong);

  const convention_name family =
      options.model_family ? *options.model_family : detail::family_of(*names, spec);
  loaded.rule = convention_for(family, spec);
  read_metadata(file, loaded.rule, loaded.labels);
  if (options.convention) loaded.rule = convention_for(*options.convention, spec);
  if (!loaded.labels.empty() && loaded.labels.size() != static_cast<std::size_t>(spec.classes))
    throw file_error(sentence("metadata 'effnet.classes' of ", path_in_quotes(file.path), " has ",
                              loaded.labels.size(), " names, expected ", spec.classes));
  if (options.check_finite) {
    for (std::size_t i = 0; i < expected.size(); ++i)
      detail::check_finite(file, expected[i], loaded.tensors[i]);
    std::size_t i = 0;
    for (const tensor_spec& t : tensors_of(spec)) {
      if (t.part == tensor_part::bn_running_var)
        detail::check_variance(file, expected[i], loaded.tensors[i], loaded.rule.bn_eps);
      ++i;
    }
  }
  return loaded;
}

}  // namespace effnet
