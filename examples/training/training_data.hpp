#pragma once

#include <algorithm>
#include <cstddef>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include <effnet/data/hold_out.hpp>
#include <effnet/data/open_data_set.hpp>

#include "class_list.hpp"
#include "training/run_recipe.hpp"

namespace example {

/// What a network is trained and validated on.
struct training_data {
  effnet::any_data_set train, val;
  std::vector<std::string> remarks;  ///< a sentence each
};

namespace detail {

inline void remark(std::vector<std::string>& remarks, const effnet::any_data_set& set,
                   const std::string& name) {
  for (std::string& warning : set.warnings()) remarks.push_back(std::move(warning));
  if (set.ignored() > 0)
    remarks.push_back(effnet::sentence(
        "passed over ", set.ignored(), set.ignored() == 1 ? " file" : " files", " in ",
        effnet::path_in_quotes(name), " that ", set.ignored() == 1 ? "is" : "are", " no picture"));
}

/// The names of `--classes`, each once.
inline class_list distinct_classes(const std::string& path) {
  class_list list = read_classes(path);
  std::vector<std::string> sorted = list.names;
  std::ranges::sort(sorted);
  const auto twice = std::ranges::adjacent_find(sorted);
  if (twice != sorted.end() && list.ids.empty())
    throw effnet::file_error(effnet::sentence(effnet::path_in_quotes(path), " names the class ",
                                              effnet::in_quotes(*twice),
                                              " twice; give every class a name of its own"));
  return list;
}

/// Opens a set whose classes the data name by `list`'s names or, all of them, by its WordNet ids.
inline effnet::any_data_set open_with_classes(const std::string& name, effnet::set_part part,
                                              const class_list& list) {
  if (!list.ids.empty()) {
    const effnet::any_data_set own = effnet::open_data_set(name, part);
    const bool by_id = std::ranges::all_of(own.classes(), [&](const std::string& one) {
      return std::ranges::find(list.ids, one) != list.ids.end();
    });
    if (by_id) return effnet::open_data_set(name, part, list.ids).with_class_names(list.names);
  }
  return effnet::open_data_set(name, part, list.names);
}

}  // namespace detail

/// Opens the sets of a recipe. Without `--val` a fixed tenth of the data is held out. Classes are
/// those of `--classes`, or `known` if the data have the same ones, in another order perhaps.
inline training_data open_training_data(const run_recipe& recipe,
                                        const std::vector<std::string>& known) {
  class_list list;
  if (!recipe.classes.empty()) list = detail::distinct_classes(recipe.classes);
  effnet::any_data_set all = detail::open_with_classes(recipe.data, effnet::set_part::train, list);
  if (list.names.empty() && all.classes() != known &&
      std::ranges::is_permutation(all.classes(), known))
    all = effnet::open_data_set(recipe.data, effnet::set_part::train, known);
  std::vector<std::string> remarks;
  detail::remark(remarks, all, recipe.data);
  if (all.classes().size() < 2)
    throw effnet::error(effnet::sentence("the data ", effnet::path_in_quotes(recipe.data),
                                         " have one class only; there is nothing to learn"));
  if (recipe.val.empty()) {
    const effnet::split parts = effnet::hold_out_tenth(all);
    return {all.part(parts.train), all.part(parts.held_out), std::move(remarks)};
  }
  if (list.names.empty()) list.names = all.classes();
  effnet::any_data_set val = detail::open_with_classes(recipe.val, effnet::set_part::test, list);
  detail::remark(remarks, val, recipe.val);
  return {std::move(all), std::move(val), std::move(remarks)};
}

/// What each class weighs in the loss: `how` is "balanced", the reciprocal of its count, 1 on
/// average over the pictures; or a file with a number a line. Empty: all the same.
inline std::vector<float> class_weights(const std::string& how, const effnet::any_data_set& set) {
  std::vector<float> weights;
  if (how.empty()) return weights;
  if (how == "balanced") {
    const std::vector<std::size_t> counts = effnet::class_counts(set);
    for (std::size_t count : counts)
      weights.push_back(static_cast<float>(static_cast<double>(set.count()) /
                                           (static_cast<double>(counts.size()) *
                                            static_cast<double>(std::max<std::size_t>(1, count)))));
    return weights;
  }
  std::ifstream file(how);
  if (!file)
    throw effnet::file_error(effnet::sentence("cannot read the class weights ",
                                              effnet::path_in_quotes(how),
                                              "; give a file with a number a line, or balanced"));
  for (float weight = 0; file >> weight;) weights.push_back(weight);
  const bool all_read = file.eof();
  if (!all_read || weights.size() != set.classes().size())
    throw effnet::file_error(effnet::sentence(effnet::path_in_quotes(how), " has ", weights.size(),
                                              weights.size() == 1 ? " number" : " numbers",
                                              all_read ? "" : " and then something that is none",
                                              ", expected one for each of the ",
                                              set.classes().size(), " classes"));
  return weights;
}

}  // namespace example
