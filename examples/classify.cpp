// Says what is in pictures, with a trained network: the way from files to predictions.

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <effnet/images.hpp>

#include "backend_options.hpp"
#include "class_list.hpp"
#include "image_options.hpp"
#include "model_options.hpp"
#include "network_runner.hpp"
#include "ordered_work.hpp"
#include "output_file.hpp"
#include "picture_sheet.hpp"
#include "prediction.hpp"
#include "program.hpp"
#include "short_spins.hpp"
#include "tensor_input.hpp"
#include "tensor_table.hpp"

namespace {

struct settings {
  example::model_options model;
  example::backend_options backend;
  effnet::decode_options decoding;
  std::vector<std::string> images;
  std::string labels, tensor, logits, features, sheet;
  int top = 5;
  bool json = false;
};

void check(const settings& chosen) {
  if (!chosen.tensor.empty() && !chosen.images.empty())
    throw example::usage_error("give images or --tensor, not both");
  if (chosen.tensor.empty() && chosen.images.empty())
    throw example::usage_error("no images are given");
  if (!chosen.tensor.empty() && chosen.logits.empty() && chosen.features.empty())
    throw example::usage_error("--tensor needs --logits or --features, the file to write");
  if (!chosen.logits.empty() && chosen.logits == chosen.features)
    throw example::usage_error("--logits and --features need a file each");
  if (!chosen.sheet.empty() && !chosen.tensor.empty())
    throw example::usage_error("--sheet shows images, not tensors");
  if (!chosen.sheet.empty() && !chosen.sheet.ends_with(".png") && !chosen.sheet.ends_with(".html"))
    throw example::usage_error("--sheet must end in .png or .html");
}

/// Prints predictions as they come, as text or as the elements of a JSON array.
class printer {
 public:
  printer(const example::class_list& classes, bool json) : classes_(classes), json_(json) {
    if (json_) std::printf("[");
  }
  ~printer() {
    if (json_) std::printf("\n]\n");
  }
  printer(const printer&) = delete;
  printer& operator=(const printer&) = delete;

  void print(const std::string& file, const std::vector<example::prediction>& best) {
    if (json_) {
      nlohmann::ordered_json entry = {{"file", file}, {"top", nlohmann::json::array()}};
      for (const auto& [index, probability] : best)
        entry["top"].push_back({{"index", index},
                                {"label", classes_.name(index)},
                                {"probability", double{probability}}});
      // File names need not be UTF-8; JSON must be.
      const auto replace = nlohmann::json::error_handler_t::replace;
      std::printf("%s\n%s", first_ ? "" : ",", entry.dump(-1, ' ', false, replace).c_str());
      first_ = false;
      return;
    }
    std::printf("%s\n", file.c_str());
    for (const auto& [index, probability] : best)
      std::printf("  %6.2f %%  %s\n", 100 * double{probability}, classes_.name(index).c_str());
    std::fflush(stdout);
  }

 private:
  const example::class_list& classes_;
  bool json_, first_ = true;
};

/// A picture on its way to the network; `problem` says why there is none.
struct loaded_picture {
  std::vector<float> input;
  std::vector<std::byte> thumbnail;
  std::string problem;
};

loaded_picture load(const std::string& file, const effnet::decode_options& decoding,
                    const effnet::input_rule& rule, bool with_thumbnail) {
  loaded_picture loaded;
  try {
    const effnet::image picture = effnet::read_image(file, decoding);
    loaded.input = example::prepared(picture, rule);
    if (with_thumbnail)
      loaded.thumbnail = example::thumbnail(picture, example::picture_sheet::picture_side);
  } catch (const std::bad_alloc&) {
    loaded.problem = "there is not enough memory to decode " + file;
  } catch (const effnet::error& e) {
    loaded.problem = e.what();
  }
  return loaded;
}

/// What of the results goes into files.
struct collected {
  example::tensor_table logits, features;

  void write(const settings& chosen, const std::vector<std::string>& files) const {
    std::map<std::string, std::string> metadata;
    if (!files.empty())
      metadata["files"] =
          nlohmann::json(files).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    if (!chosen.logits.empty()) logits.write(chosen.logits, "logits", metadata);
    if (!chosen.features.empty()) features.write(chosen.features, "embedding", metadata);
  }
};

template <effnet::backend B>
int classify_tensor(const settings& chosen, example::network_runner<B>& network) {
  const example::tensor_input input(chosen.tensor, network.spec().in_channels);
  collected results;
  std::vector<float> image;
  for (std::size_t i = 0; i < input.images(); ++i) {
    input.read(i, image);
    network.run(image.data(), input.image_shape());
    results.logits.add(network.logits());
    results.features.add(network.embedding());
  }
  results.write(chosen, {});
  return example::succeeded;
}

template <effnet::backend B>
int classify_images(const example::program& program, const settings& chosen,
                    const example::class_list& classes, example::network_runner<B>& network) {
  const effnet::input_rule rule = network.input_rule();
  const bool with_sheet = !chosen.sheet.empty();
  example::picture_sheet sheet(effnet::sentence(std::string_view(network.spec().name), ", ",
                                                rule.size, " x ", rule.size, " pixels"));
  collected results;
  std::vector<std::string> files;
  int status = example::succeeded;
  {
    printer out(classes, chosen.json);
    // One image at a time: as fast as several here, and the memory stays small. The next one is
    // decoded meanwhile.
    example::ordered_work<loaded_picture> pictures(chosen.images.size(), 1, 2, [&] {
      return
          [&](std::size_t i) { return load(chosen.images[i], chosen.decoding, rule, with_sheet); };
    });
    for (const std::string& file : chosen.images) {
      loaded_picture picture = pictures.next();
      if (!picture.problem.empty()) {
        program.report(picture.problem);
        status = example::failed;
        continue;
      }
      network.run(picture.input.data(), {1, rule.size, rule.size, 3});
      const std::vector<example::prediction> best =
          example::best_of(network.logits(), std::max(chosen.top, 3));
      out.print(file, {best.begin(), best.begin() + std::min<long>(chosen.top, std::ssize(best))});
      if (!chosen.logits.empty()) results.logits.add(network.logits());
      if (!chosen.features.empty()) results.features.add(network.embedding());
      if (!chosen.logits.empty() || !chosen.features.empty()) files.push_back(file);
      if (!with_sheet) continue;
      std::vector<example::picture_sheet::guess> guesses;
      for (const auto& [index, probability] : best)
        guesses.push_back({classes.name(index), probability});
      sheet.add(std::filesystem::path(file).filename().string(), std::move(picture.thumbnail),
                std::move(guesses));
    }
  }
  if (!files.empty()) results.write(chosen, files);
  if (sheet.size() > 0) sheet.write(chosen.sheet);
  if (chosen.sheet.ends_with(".png") && sheet.size() > example::picture_sheet::most_in_png)
    program.report(effnet::sentence("the sheet shows the first ",
                                    example::picture_sheet::most_in_png, " of ", sheet.size(),
                                    " pictures; an .html sheet shows all"));
  return status;
}

template <effnet::backend B>
int classify(const example::program& program, const settings& chosen, const B& backend) {
  effnet::weights model = example::load_model(chosen.model);
  for (const std::string& file : {chosen.logits, chosen.features, chosen.sheet})
    example::require_writable(file);
  if (!chosen.tensor.empty()) {
    example::network_runner<B> network(effnet::dynamic_network<B>(std::move(model), backend));
    return classify_tensor(chosen, network);
  }
  example::refuse_unless_rgb(model);
  const example::class_list classes =
      example::choose_classes(chosen.labels, model.labels, model.spec.classes);
  example::network_runner<B> network(effnet::dynamic_network<B>(std::move(model), backend));
  return classify_images(program, chosen, classes, network);
}

}  // namespace

int main(int argc, char** argv) {
  example::use_short_spins(argv);
  example::program program(
      "classify", "Says what is in pictures, with a trained network.",
      "  classify --model efficientnet_lite0 --weights lite0.safetensors --labels classes.json "
      "*.jpg\n"
      "  classify --model efficientnetv2_s --weights v2_s.pth --json --top 3 photo.jpg\n"
      "  classify --model efficientnet_lite0 --weights lite0.safetensors --sheet sheet.html *.jpg\n"
      "  classify --model efficientnet_b0 --weights b0.pth --tensor x.safetensors --logits "
      "y.safetensors");
  settings chosen;
  CLI::App& app = program.options;
  app.add_option("IMAGE", chosen.images, "JPEG and PNG files")->type_name("");
  example::add_model_options(app, chosen.model);
  app.add_option("--labels", chosen.labels, "Class names: one a line, or JSON")->type_name("FILE");
  app.add_option("--top", chosen.top, "How many predictions to print of each picture")
      ->check(example::between(1, 1 << 20))
      ->type_name("K")
      ->capture_default_str();
  app.add_flag("--json", chosen.json, "Print a JSON array of {file, top}");
  app.add_option("--sheet", chosen.sheet, "Write the pictures with their predictions (.png, .html)")
      ->type_name("FILE");
  app.add_option("--features", chosen.features,
                 "Write the embeddings as tensor 'embedding' [n, features] (.safetensors)")
      ->type_name("FILE");
  app.add_option("--logits", chosen.logits, "Write the logits as tensor 'logits' (.safetensors)")
      ->type_name("FILE");
  app.add_option("--tensor", chosen.tensor,
                 "Instead of images: tensor 'input' [n, channels, h, w] (.safetensors), used as it "
                 "is")
      ->type_name("FILE");
  example::add_backend_options(app, chosen.backend);
  example::add_image_options(app, chosen.decoding);

  return program.run(argc, argv, [&] {
    check(chosen);
    return example::with_backend(chosen.backend,
                                 [&](const auto& on) { return classify(program, chosen, on); });
  });
}
