// Measures how often a network is right on pictures whose classes are known.

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <effnet/images.hpp>

#include "accuracy.hpp"
#include "backend_options.hpp"
#include "class_list.hpp"
#include "image_options.hpp"
#include "labeled_images.hpp"
#include "model_options.hpp"
#include "network_runner.hpp"
#include "ordered_work.hpp"
#include "output_file.hpp"
#include "program.hpp"
#include "progress_bar.hpp"
#include "report_page.hpp"
#include "short_spins.hpp"
#include "verdict_table.hpp"

namespace {

constexpr std::size_t mistakes_shown = 24;
constexpr int thumbnail_side = 224;

struct settings {
  example::model_options model;
  example::backend_options backend;
  effnet::decode_options decoding;
  std::string data, labels, csv, report;
  std::size_t batch = 1, limit = 0;
  bool json = false, quiet = false;
};

/// A picture's verdict; `problem` says why there is none.
struct judged_picture {
  example::verdict judged;
  std::string problem;
};

/// One thread of the evaluation, with a session of its own: it decodes and judges a batch of
/// pictures at a time. Threads that share nothing but the weights need not wait for each other.
template <effnet::backend B>
class judge_of_batches {
 public:
  judge_of_batches(const effnet::dynamic_network<B>& network, const settings& chosen,
                   const example::labeled_images& images)
      : network_(network, 1), chosen_(chosen), images_(images) {}

  std::vector<judged_picture> operator()(std::size_t batch) {
    const std::size_t begin = batch * chosen_.batch;
    const std::size_t end = std::min(begin + chosen_.batch, images_.size());
    std::vector<judged_picture> results(end - begin);
    std::vector<std::size_t> readable;
    input_.clear();
    for (std::size_t i = begin; i < end; ++i) {
      results[i - begin].problem = append(i);
      if (results[i - begin].problem.empty()) readable.push_back(i);
    }
    if (readable.empty()) return results;
    const int side = network_.input_rule().size;
    network_.run(input_.data(), {static_cast<int>(readable.size()), side, side, 3});
    for (std::size_t k = 0; k < readable.size(); ++k) {
      const std::size_t i = readable[k];
      results[i - begin].judged = example::judge(i, images_.truth(i), network_.logits(k));
    }
    return results;
  }

 private:
  /// Adds picture `i` to the input; returns why it cannot.
  std::string append(std::size_t i) {
    try {
      const std::vector<float> picture =
          example::prepared(images_.read(i, chosen_.decoding), network_.input_rule());
      input_.insert(input_.end(), picture.begin(), picture.end());
      return "";
    } catch (const std::bad_alloc&) {
      return "there is not enough memory to decode " + images_.name(i);
    } catch (const effnet::error& e) {
      return e.what();
    }
  }

  example::network_runner<B> network_;
  const settings& chosen_;
  const example::labeled_images& images_;
  std::vector<float> input_;
};

/// What came out of a run, besides `accuracy`.
struct run_facts {
  std::size_t unreadable = 0;
  double seconds = 0;
};

/// Judges all pictures. One that cannot be read is told and not counted.
template <effnet::backend B>
run_facts run_all(const example::program& program, const settings& chosen,
                  const example::labeled_images& images, const example::class_list& classes,
                  const effnet::dynamic_network<B>& network, example::accuracy& results) {
  std::optional<example::verdict_table> csv;
  if (!chosen.csv.empty()) csv.emplace(chosen.csv);
  run_facts facts;
  const std::size_t batches = (images.size() + chosen.batch - 1) / chosen.batch;
  const std::size_t threads = std::min(batches, example::thread_count(chosen.backend));
  example::progress_bar progress("images", images.size(), !chosen.quiet);
  example::ordered_work<std::vector<judged_picture>> work(
      batches, threads, 2 * threads, [&] { return judge_of_batches<B>(network, chosen, images); });
  for (std::size_t batch = 0; batch < batches; ++batch) {
    const std::vector<judged_picture> pictures = work.next();
    for (const auto& [judged, problem] : pictures) {
      if (!problem.empty()) {
        progress.clear();
        program.report(problem);
        ++facts.unreadable;
        continue;
      }
      results.add(judged);
      if (csv) csv->add(images.name(judged.image), judged, classes);
    }
    progress.advance(pictures.size());
  }
  facts.seconds = progress.seconds();
  if (csv) csv->commit();
  return facts;
}

std::string preparation(const effnet::input_rule& rule) {
  const std::string filter(effnet::name_of(rule.filter));
  const std::string seen = effnet::sentence(rule.size, " x ", rule.size);
  switch (rule.crop) {
    case effnet::crop_rule::center:
    case effnet::crop_rule::center_nearest:
      return effnet::sentence(filter, ", shorter side ", rule.resize, ", central ", seen);
    case effnet::crop_rule::squash:
      return effnet::sentence(filter, ", squashed to ", seen);
    case effnet::crop_rule::tf_center:
      return effnet::sentence(filter, ", central square with TensorFlow's margin, ", seen);
  }
  return filter;
}

/// The last part of a path, also where it ends with a slash.
std::string data_name(const std::filesystem::path& path) {
  return (path.has_filename() ? path : path.parent_path()).filename().string();
}

void write_report(const settings& chosen, const example::labeled_images& images,
                  const example::class_list& classes, std::string_view network,
                  const effnet::input_rule& rule, const run_facts& run, double rate,
                  const example::accuracy& results) {
  std::vector<example::shown_mistake> mistakes;
  for (const example::verdict& v : results.worst())
    mistakes.push_back({images.name(v.image),
                        example::thumbnail(images.read(v.image, chosen.decoding), thumbnail_side),
                        v});
  const example::report_facts facts{
      .title = effnet::sentence(network, " on ", data_name(chosen.data)),
      .how = effnet::sentence("Weights ", chosen.model.weights, " on ", chosen.data, "; ",
                              preparation(rule), "; backend ", chosen.backend.name, "."),
      .images_per_second = rate,
      .unreadable = run.unreadable};
  example::report_page(facts, results, classes, mistakes).write(chosen.report);
}

template <effnet::backend B>
int evaluate(const example::program& program, const settings& chosen, const B& backend) {
  effnet::weights model = example::load_model(chosen.model);
  example::refuse_unless_rgb(model);
  const int class_count = model.spec.classes;
  const example::class_list classes =
      example::choose_classes(chosen.labels, model.labels, class_count);
  const example::class_finder finder(classes, class_count);
  example::labeled_images images(chosen.data, finder);
  images.keep(chosen.limit);

  example::require_writable(chosen.report);
  const effnet::dynamic_network<B> network(std::move(model), backend);
  example::accuracy results(chosen.report.empty() ? 0 : mistakes_shown);
  const run_facts run = run_all(program, chosen, images, classes, network, results);
  const example::accuracy::score& total = results.total();
  if (total.images == 0)
    throw effnet::file_error(
        effnet::sentence("none of the ", images.size(), " pictures could be read"));
  const double rate = static_cast<double>(total.images) / run.seconds;
  const double top1 = total.percent(total.top1), top5 = total.percent(total.top5);
  if (chosen.json)
    std::printf(
        "%s\n",
        nlohmann::ordered_json{
            {"images", total.images}, {"top1", top1}, {"top5", top5}, {"images_per_second", rate}}
            .dump()
            .c_str());
  else
    std::printf("images    %zu\ntop-1     %.2f %%\ntop-5     %.2f %%\nimages/s  %.1f\n",
                total.images, top1, top5, rate);
  if (!chosen.report.empty())
    write_report(chosen, images, classes, network.spec().name, network.rule().input, run, rate,
                 results);
  if (run.unreadable == 0) return example::succeeded;
  program.report(effnet::sentence(run.unreadable, " of ", images.size(),
                                  " pictures could not be read and are not counted"));
  return example::failed;
}

}  // namespace

int main(int argc, char** argv) {
  example::use_short_spins(argv);
  example::program program(
      "evaluate", "Measures how often a network is right on pictures whose classes are known.",
      "  evaluate --model efficientnet_lite0 --weights lite0.safetensors --labels classes.json "
      "--data val/\n"
      "  evaluate --model efficientnetv2_s --weights v2_s.pth --labels classes.json --data val.tar "
      "--report report.html");
  settings chosen;
  CLI::App& app = program.options;
  example::add_model_options(app, chosen.model);
  app.add_option("--data", chosen.data,
                 "Class folders, pictures named by class (n01440764.jpg), or a tar of either; "
                 "classes by WordNet id, name or index")
      ->required()
      ->type_name("DIR|TAR");
  app.add_option("--labels", chosen.labels, "Class names: one a line, or JSON")->type_name("FILE");
  app.add_flag("--json", chosen.json,
               "Print one JSON object: images, top1, top5 (per cent), images_per_second");
  app.add_option("--csv", chosen.csv, "Write a line for each picture")->type_name("FILE");
  app.add_option("--report", chosen.report,
                 "Write an HTML page: confusion matrix, weakest classes, worst mistakes")
      ->type_name("FILE");
  app.add_option("--batch", chosen.batch, "Pictures that each thread computes together")
      ->check(example::between(1, 1024))
      ->type_name("N")
      ->capture_default_str();
  app.add_option("--limit", chosen.limit, "Only so many pictures, spread over the data")
      ->check(example::between(1, 1 << 30))
      ->type_name("N");
  app.add_flag("--quiet", chosen.quiet, "No progress on stderr");
  example::add_backend_options(app, chosen.backend);
  example::add_image_options(app, chosen.decoding);

  return program.run(argc, argv, [&] {
    return example::with_backend(chosen.backend,
                                 [&](const auto& on) { return evaluate(program, chosen, on); });
  });
}
