#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <effnet/io/naming.hpp>
#include <effnet/io/weight_metadata.hpp>
#include <effnet/io/write_safetensors.hpp>
#include <effnet/train/checkpoint.hpp>
#include <effnet/train/named_values.hpp>
#include <effnet/train/trainer.hpp>

namespace effnet {

/// Settings as a checkpoint keeps them.
inline named_texts texts_of(const named_values& values) {
  named_texts texts;
  for (const auto& [name, value] : values) texts.emplace_back(name, text_of(value));
  return texts;
}

/// A sentence about the first setting that differs, or "".
inline std::string first_difference(const named_texts& before, const named_texts& now) {
  const auto find = [](const named_texts& texts, std::string_view name) {
    return std::ranges::find(texts, name, [](const auto& entry) { return entry.first; });
  };
  const auto text = [](std::string_view name, std::string_view was, std::string_view is) {
    return sentence("the setting ", in_quotes(name), " was ", was, " and is now ", is);
  };
  const bool same_order = before.size() == now.size() &&
                          std::ranges::equal(before, now, {}, &named_texts::value_type::first,
                                             &named_texts::value_type::first);
  for (std::size_t i = 0; i < now.size(); ++i) {
    const auto& [name, value] = now[i];
    const auto found =
        same_order ? before.begin() + static_cast<std::ptrdiff_t>(i) : find(before, name);
    if (found == before.end()) return text(name, "absent", in_quotes(value));
    if (found->second != value) return text(name, in_quotes(found->second), in_quotes(value));
  }
  for (const auto& [name, value] : before)
    if (!same_order && find(now, name) == now.end()) return text(name, in_quotes(value), "absent");
  return "";
}

namespace detail {

/// Calls visit(name, spec, floats) for all that a checkpoint holds, in its order.
template <class Trainer, class Visitor>
void for_each_part(Trainer& of, Visitor&& visit) {
  const std::vector<tensor_spec>& tensors = of.network().tensors();
  const auto all = [&](const std::string& kind, auto&& part) {
    for (std::size_t i = 0; i < tensors.size(); ++i)
      if (const std::span<float> floats = part(i); !floats.empty())
        visit(kind + '/' + tensor_name(naming::timm, of.network().spec(), tensors[i]), tensors[i],
              floats);
  };
  all("values", [&](std::size_t i) { return of.values(i); });
  all("average", [&](std::size_t i) { return of.average(i); });
  for (std::size_t s = 0; s < Trainer::rule_type::slot_count; ++s)
    all(sentence("slot", s), [&](std::size_t i) { return of.slots(i)[s]; });
}

inline std::vector<std::int64_t> shape_of(const tensor_spec& t) {
  return {t.extents.begin(), t.extents.begin() + t.rank};
}

inline void check_part(const checkpoint& from, std::size_t place, const std::string& name,
                       const tensor_spec& t) {
  const std::string file = path_in_quotes(from.file.path);
  if (place >= from.file.tensors.size())
    throw file_error(sentence("checkpoint ", file, " lacks tensor '", name, "'"));
  const auto& [found_name, found] = from.file.tensors[place];
  if (found_name != name)
    throw file_error(sentence("checkpoint ", file, " has tensor ", in_quotes(found_name),
                              " where '", name, "' is expected; it is of another network"));
  if (found.type != dtype::f32 || found.shape != shape_of(t))
    throw file_error(sentence("tensor '", name, "' of checkpoint ", file, " is ",
                              name_of(found.type), " ", effnet::shape_text(found.shape),
                              ", expected F32 ", effnet::shape_text(shape_of(t)),
                              "; it is of another network"));
}

/// Floats of a device's memory as a tensor: where they are, if the processor reaches them.
template <class Device>
raw_tensor tensor_of(const Device& on, const tensor_spec& t, std::span<const float> floats) {
  raw_tensor tensor{.type = dtype::f32,
                    .shape = shape_of(t),
                    .data = reinterpret_cast<const std::byte*>(floats.data()),
                    .owner = nullptr};
  if constexpr (!Device::host_memory) {
    const auto copy = std::make_shared<std::vector<float>>(floats.size());
    on.download(floats.data(), copy->data(), floats.size_bytes());
    tensor.data = reinterpret_cast<const std::byte*>(copy->data());
    tensor.owner = copy;
  }
  return tensor;
}

}  // namespace detail

/// Writes all that a trainer needs to go on, whole or not at all. Throws `file_error`.
template <trainable Network, optimizer Rule>
void save_checkpoint(const std::string& path, trainer<Network, Rule>& from,
                     const checkpoint_notes& notes = {}) {
  state_dict dict;
  detail::for_each_part(
      from, [&](std::string name, const tensor_spec& t, std::span<const float> floats) {
        dict.tensors.emplace_back(std::move(name),
                                  detail::tensor_of(from.network().device(), t, floats));
      });
  const auto put = [&](std::string_view key, std::string value) {
    dict.metadata[sentence(detail::checkpoint_prefix, key)] = std::move(value);
  };
  put("format", "1");
  put("steps", sentence(from.steps_done()));
  put("seed", sentence(from.options().seed));
  put("optimizer", std::string(Rule::name));
  put("settings", detail::texts_object(notes.settings));
  put("kernels", detail::texts_object(notes.kernels));
  put("progress", detail::texts_object(notes.progress));
  put("checksum", detail::checksum_of(dict));
  write_safetensors(path, dict);
}

/// Makes `to` what was saved, so that it goes on as if nothing had been between; returns a sentence
/// for everything that makes the bits of coming steps differ from those of the run before. Throws
/// `setting_error` that names the first of `now`'s settings that differs, `file_error` for tensors
/// of another network; `to` is unchanged then.
template <trainable Network, optimizer Rule>
std::vector<std::string> resume(trainer<Network, Rule>& to, const checkpoint& from,
                                const checkpoint_notes& now = {}) {
  const auto refuse = [&](const std::string& why) {
    throw setting_error(sentence("cannot go on from ", path_in_quotes(from.file.path), ": ", why,
                                 "; use the settings that it was made with, or start anew"));
  };
  if (const std::string why = first_difference(from.notes.settings, now.settings); !why.empty())
    refuse(why);
  if (from.optimizer != Rule::name)
    refuse(sentence("the optimizer was ", in_quotes(from.optimizer), " and is now '", Rule::name,
                    "'"));
  if (from.seed != to.options().seed)
    refuse(sentence("the seed was ", from.seed, " and is now ", to.options().seed));
  std::size_t place = 0;
  detail::for_each_part(to, [&](const std::string& name, const tensor_spec& t, std::span<float>) {
    detail::check_part(from, place++, name, t);
  });
  if (place != from.file.tensors.size())
    throw file_error(sentence("checkpoint ", path_in_quotes(from.file.path), " has a tensor ",
                              in_quotes(from.file.tensors[place].first),
                              " that the run has no use for; it is of another network"));
  place = 0;
  detail::for_each_part(to, [&](const std::string&, const tensor_spec&, std::span<float> floats) {
    const raw_tensor& saved = from.file.tensors[place++].second;
    to.network().device().upload(reinterpret_cast<const float*>(saved.data), floats.data(),
                                 floats.size_bytes());
    release_pages(saved);
  });
  to.continue_at(from.steps_done);

  std::vector<std::string> warnings;
  for (const auto& [name, value] : now.kernels)
    for (const auto& [old_name, old_value] : from.notes.kernels)
      if (name == old_name && value != old_value)
        warnings.push_back(sentence("the checkpoint was made with ", name, " ",
                                    in_quotes(old_value), ", this run has ", in_quotes(value),
                                    ": its bits will differ"));
  return warnings;
}

}  // namespace effnet
