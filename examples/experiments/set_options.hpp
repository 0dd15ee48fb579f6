#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <nlohmann/json.hpp>

#include <effnet/core/error.hpp>
#include <effnet/io/atomic_file.hpp>
#include <effnet/io/in_quotes.hpp>

#include "experiments/scale.hpp"
#include "experiments/trial.hpp"
#include "program.hpp"

namespace example {

/// What a set of experiments is run on, and where it is kept. Empty: not given.
struct set_options {
  std::string data, val, other_data, other_val, scale, backend;
  std::string out = "experiments_out";
};

inline void add_set_options(CLI::App& app, set_options& chosen) {
  const auto text = [&](const char* name, std::string& to, const char* type, const char* help) {
    app.add_option(name, to, help)->type_name(type);
  };
  text("--data", chosen.data, "DATA", "What to train on, in the forms that 'train' takes");
  text("--val", chosen.val, "DATA",
       "What to validate on (default: val.tar or val beside a --data of train.tar or train; else a "
       "tenth of --data)");
  text("--other-data", chosen.other_data, "DATA", "Another set, for fine-tuning");
  text("--other-val", chosen.other_val, "DATA", "What to validate that one on");
  text("--out", chosen.out, "DIR",
       "Folder of the set (default experiments_out), of one scale and one --data; what was "
       "given for it before need not be given again");
  add_choice(app, "--scale", chosen.scale, {"smoke", "mini", "full"},
             "A look at whether all runs, small sizes (default), or the published ones");
  add_choice(app, "--backend", chosen.backend, {"cpu", "cuda"}, "What trains (default: cpu)");
}

inline scale scale_of(const set_options& chosen) {
  const auto* const at = std::ranges::find(scale_names, chosen.scale);
  return {static_cast<scale_name>(at - std::begin(scale_names))};
}

namespace detail {

/// The validation set that lies beside a training set; empty where none does.
inline std::string val_beside(const std::string& data) {
  std::filesystem::path path = data;
  if (!path.has_filename()) path = path.parent_path();
  if (path.stem() != "train") return "";
  path.replace_filename("val" + path.extension().string());
  return std::filesystem::exists(path) ? path.string() : "";
}

/// Whatever folder the next command is given in; "shapes:2000x48" is no path.
inline std::string absolute_set(const std::string& data) {
  for (const char* kind : {"cifar10:", "cifar100:", "idx:"})
    if (data.starts_with(kind)) return kind + absolute_set(data.substr(std::strlen(kind)));
  if (data.empty() || !std::filesystem::exists(data)) return data;
  return std::filesystem::absolute(data).lexically_normal().string();
}

/// The options by the names that they have in set.json.
template <class Options>
auto named_options(Options& of) {
  return std::array{std::pair{"data", &of.data},
                    std::pair{"val", &of.val},
                    std::pair{"other_data", &of.other_data},
                    std::pair{"other_val", &of.other_val},
                    std::pair{"scale", &of.scale},
                    std::pair{"backend", &of.backend}};
}

/// What a set was run on before; nothing where it was not. Throws `effnet::file_error`.
inline std::optional<set_options> remembered(const std::string& out) {
  const std::string path = (std::filesystem::path(out) / "set.json").string();
  if (!std::filesystem::exists(path)) return std::nullopt;
  std::string text(std::size_t{1} << 16, ' ');
  std::ifstream from(path, std::ios::binary);
  from.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(from.gcount()));
  const auto json = nlohmann::json::parse(text, nullptr, false);
  set_options before;
  bool is_whole = json.is_object();
  for (const auto& [name, value] : named_options(before)) {
    if (!is_whole || !json.contains(name) || !json[name].is_string())
      is_whole = false;
    else
      *value = json[name].get<std::string>();
  }
  const auto is_one_of = [](const std::string& word, std::initializer_list<const char*> words) {
    return std::ranges::find(words, word) != words.end();
  };
  if (!is_whole || !is_one_of(before.scale, {"smoke", "mini", "full"}) ||
      !is_one_of(before.backend, {"cpu", "cuda"}))
    throw effnet::file_error(
        effnet::sentence(effnet::path_in_quotes(path),
                         " does not say what the set was run on; remove it and give the options "
                         "again"));
  return before;
}

}  // namespace detail

/// With defaults for what was not given, and absolute paths.
inline set_options with_defaults(set_options chosen) {
  chosen.out = std::filesystem::absolute(chosen.out).lexically_normal().string();
  if (chosen.scale.empty()) chosen.scale = "mini";
  if (chosen.backend.empty()) chosen.backend = "cpu";
  for (std::string* set : {&chosen.data, &chosen.val, &chosen.other_data, &chosen.other_val})
    *set = detail::absolute_set(*set);
  if (chosen.val.empty()) chosen.val = detail::val_beside(chosen.data);
  if (chosen.other_val.empty()) chosen.other_val = detail::val_beside(chosen.other_data);
  return chosen;
}

/// With what was not given: as it was before in that folder, else the defaults. Throws
/// `effnet::file_error` for options that differ from those of before, sets of data by the last two
/// parts of their paths, and for a set.json that is none.
inline set_options whole_options(set_options chosen) {
  const std::optional<set_options> before = detail::remembered(chosen.out);
  if (!before) return with_defaults(std::move(chosen));
  const auto take = [](std::string& data, std::string& val, const std::string& data_before,
                       const std::string& val_before) {
    if (data.empty()) {
      data = data_before;
      if (val.empty()) val = val_before;
    }
  };
  take(chosen.data, chosen.val, before->data, before->val);
  take(chosen.other_data, chosen.other_val, before->other_data, before->other_val);
  if (chosen.scale.empty()) chosen.scale = before->scale;
  if (chosen.backend.empty()) chosen.backend = before->backend;
  chosen = with_defaults(std::move(chosen));
  const auto now = detail::named_options(chosen);
  const auto then = detail::named_options(*before);
  for (std::size_t i = 0; i < now.size(); ++i) {
    const bool is_val = std::string_view(now[i].first).ends_with("val");
    const bool is_new = is_val ? then[i - 1].second->empty() : then[i].second->empty();
    if (is_new || set_name(*now[i].second) == set_name(*then[i].second)) continue;
    throw effnet::file_error(effnet::sentence(
        "the set in ", effnet::path_in_quotes(chosen.out), " was run with ", now[i].first, " '",
        *then[i].second, "', not '", *now[i].second, "': choose another --out"));
  }
  return chosen;
}

/// For the next time. Throws `effnet::file_error`.
inline void remember(const set_options& chosen) {
  nlohmann::ordered_json json;
  for (const auto& [name, value] : detail::named_options(chosen)) json[name] = *value;
  effnet::atomic_file to((std::filesystem::path(chosen.out) / "set.json").string());
  to.write(json.dump(1) + "\n");
  to.commit();
}

}  // namespace example
