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

}  // namespace detail

/// Opens the sets of a recipe. Without `--val` a fixed tenth of the data is held out. Classes are
/// those of `--classes`, or `known` if the data have the same ones, in another order perhaps.
inline training_data open_training_data(const run_recipe& recipe,
                                        const std::vector<std::string>& known) {
  std::vector<std::string> classes;
  if (!recipe.classes.empty()) classes = read_classes(recipe.classes).names;
  effnet::any_data_set all = effnet::open_data_set(recipe.data, effnet::set_part::train, classes);
  if (classes.empty() && all.classes() != known &&
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
  effnet::any_data_set val =
      effnet::open_data_set(recipe.val, effnet::set_part::test, all.classes());
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
  if (!file.eof() || weights.size() != set.classes().size())
    throw effnet::file_error(effnet::sentence(effnet::path_in_quotes(how), " has ", weights.size(),
                                              file.eof() ? "" : " and then something that is no",
                                              " number", weights.size() == 1 ? "" : "s",
                                              ", expected one for each of the ",
                                              set.classes().size(), " classes"));
  return weights;
}

}  // namespace example
