// Prints what a network is made of: its stages with parameters, multiply-adds and memory; and,
// where asked for, where the time of its forward passes goes, or what they take on a GPU at least.

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include <effnet/arch/count.hpp>
#include <effnet/arch/summary.hpp>
#include <effnet/io/table_code.hpp>

#include "backend_options.hpp"
#include "chosen_model.hpp"
#include "layer_profile.hpp"
#include "program.hpp"
#include "roofline.hpp"
#include "short_spins.hpp"
#include "text_table.hpp"
#include "training/memory_limit.hpp"

namespace {

using effnet::sentence;

const char* operator_of(const effnet::summary_row& row) {
  if (row.part == "stem") return "convolution";
  if (row.part == "head") return "convolution, pooling";
  if (row.part == "classifier") return "linear";
  switch (row.spec.op) {
    case effnet::block_op::mbconv:
      return "MBConv";
    case effnet::block_op::fused_mbconv:
      return "Fused-MBConv";
    case effnet::block_op::bottleneck:
      return "bottleneck";
  }
  return "?";
}

std::string pixels(int height, int width) {
  return sentence(height, " x ", width);
}

effnet::stage_spec shown_stage(const effnet::network_spec& spec, const effnet::summary_row& row) {
  if (row.part == "stem") return {.kernel = spec.stem_kernel, .stride = 2};
  if (row.part == "head") return {.kernel = 1, .stride = 1};
  return row.spec;
}

void print_table(const effnet::network_spec& spec, const effnet::network_summary& summary,
                 int size) {
  using enum example::text_table::side;
  example::text_table table;
  table.column("stage");
  table.column("operator", left);
  for (const char* title : {"kernel", "stride", "expand", "channels", "layers", "SE", "output",
                            "parameters", "MACs (M)", "activations", "field"})
    table.column(title);
  for (const effnet::summary_row& row : summary) {
    const effnet::stage_spec stage = shown_stage(spec, row);
    const bool in_stages = row.stage > 0, spatial = row.part != "classifier";
    const auto ratio = [](float part) { return example::fixed(double{part}, 2); };
    table.row(
        {in_stages ? sentence(row.stage) : std::string(row.part), operator_of(row),
         spatial ? sentence(stage.kernel, " x ", stage.kernel) : "",
         spatial ? sentence(stage.stride) : "", in_stages ? sentence(stage.expand) : "",
         sentence(row.channels), in_stages ? sentence(stage.repeats) : "1",
         in_stages ? (stage.se > 0 ? ratio(stage.se) : "-") : "", pixels(row.height, row.width),
         example::grouped(row.parameters), example::fixed(static_cast<double>(row.macs) / 1e6, 1),
         example::megabytes(4 * row.activations), spatial ? sentence(row.receptive_field) : ""});
  }
  const effnet::activation_bytes memory = effnet::count_activations(spec, 1, size, size);
  std::printf("%s at %s pixels, %d classes\n\n%s\n", spec.name.text, pixels(size, size).c_str(),
              spec.classes, table.text().c_str());
  const auto fact = [](const char* what, const std::string& value) {
    std::printf("%-15s %s\n", what, value.c_str());
  };
  fact("parameters", sentence(example::grouped(summary.parameters), " (",
                              example::megabytes(4 * summary.parameters), " as float32)"));
  fact("BN statistics", sentence(example::grouped(effnet::count_bn_statistics(spec)), " in ",
                                 effnet::count_bn_layers(spec), " batch norms, beside them"));
  fact("MACs",
       sentence(example::grouped(summary.macs), " (",
                example::fixed(static_cast<double>(summary.macs) / 1e9, 2), " G) for one image"));
  fact("activations", sentence(example::megabytes(memory.stored),
                               " for one image where all are kept (training); largest layer, "
                               "input and output: ",
                               example::megabytes(memory.largest)));
  fact("image sizes",
       sentence("trained at up to ", spec.train_size, ", evaluated at ", spec.eval_size));
  std::printf(
      "\nactivations: float32, one image; field: pixels of the image that an output pixel sees\n");
}

nlohmann::ordered_json json_of(const effnet::network_spec& spec, const effnet::summary_row& row) {
  const effnet::stage_spec stage = shown_stage(spec, row);
  nlohmann::ordered_json json;
  if (row.stage > 0) json["stage"] = row.stage;
  json["operator"] = row.stage == 0                               ? "conv"
                     : stage.op == effnet::block_op::mbconv       ? "mbconv"
                     : stage.op == effnet::block_op::fused_mbconv ? "fused_mbconv"
                                                                  : "bottleneck";
  if (row.part == "classifier") json["operator"] = "linear";
  json["kernel"] = stage.kernel, json["stride"] = stage.stride;
  if (row.part == "classifier") json.erase("kernel"), json.erase("stride");
  if (row.stage > 0) {
    json["expand"] = stage.expand, json["se"] = double{stage.se};
    json["in"] = stage.in, json["layers"] = stage.repeats;
  }
  json["channels"] = row.channels;
  json["output"] = {row.height, row.width};
  json["parameters"] = row.parameters, json["macs"] = row.macs;
  json["activation_bytes"] = 4 * row.activations;
  if (row.part == "classifier") return json;
  json["receptive_field"] = row.receptive_field, json["reduction"] = row.reduction;
  return json;
}

void print_json(const effnet::network_spec& spec, const effnet::network_summary& summary,
                int size) {
  const effnet::activation_bytes memory = effnet::count_activations(spec, 1, size, size);
  nlohmann::ordered_json json = {
      {"model", spec.name.text},
      {"size", size},
      {"classes", spec.classes},
      {"parameters", summary.parameters},
      {"macs", summary.macs},
      {"bn_statistics", effnet::count_bn_statistics(spec)},
      {"bn_layers", effnet::count_bn_layers(spec)},
      {"activation_bytes", memory.stored},
      {"largest_layer_bytes", memory.largest},
      {"features", spec.features()},
      {"train_size", spec.train_size},
      {"eval_size", spec.eval_size},
  };
  for (const effnet::summary_row& row : summary)
    if (row.stage > 0)
      json["stages"].push_back(json_of(spec, row));
    else
      json[std::string(row.part)] = json_of(spec, row);
  std::printf("%s\n", json.dump(2).c_str());
}

struct profile_options {
  bool wanted = false;
  int batch = 1, passes = 0;  ///< passes 0: as many as a second has time for
  example::backend_options backend;
};

const char* const of_profiles[] = {"--passes", "--backend", "--threads"};

void add_profile_options(CLI::App& app, profile_options& chosen) {
  app.add_flag("--profile", chosen.wanted,
               "Run the network, with random weights, and print the time of every op instead");
  app.add_option("--batch", chosen.batch, "Images a pass, with --profile and --roofline")
      ->check(example::between(1, 65536))
      ->type_name("N")
      ->capture_default_str();
  app.add_option("--passes", chosen.passes, "Passes to take medians of (default: a second of them)")
      ->check(example::between(1, 100000))
      ->type_name("N");
  example::add_backend_options(app, chosen.backend);
  for (const char* name : of_profiles) app.get_option(name)->group("With --profile");
}

/// Too little memory is better told before than by the system, which ends programs that take more.
void check_memory(const effnet::network_spec& spec, const effnet::shape4& images) {
  const double needed =
      static_cast<double>(effnet::count_activations(spec, images.n, images.h, images.w).largest) +
      sizeof(float) * static_cast<double>(images.elements()) +
      2 * sizeof(float) * static_cast<double>(effnet::count_parameters(spec));  // stored and packed
  const auto available = static_cast<double>(example::available_memory());
  if (needed > available)
    throw effnet::error(sentence("a pass of ", images.n, " images needs at least ",
                                 example::fixed(needed / 1e9, 1), " GB of memory and ",
                                 example::fixed(available / 1e9, 1),
                                 " GB are free; use a smaller --batch or --size"));
}

void print_profile(const effnet::named_model& model, int size, const profile_options& chosen,
                   bool json) {
  const effnet::shape4 images{chosen.batch, size, size, model.spec.in_channels};
  if (chosen.backend.name != "cuda") check_memory(model.spec, images);
  const auto family = model.family.value_or(effnet::convention_name::tf);
  const example::network_profile profile = with_backend(chosen.backend, [&](const auto& on) {
    return example::profile_network(model.spec, family, images, on, chosen.passes);
  });
  json ? void(std::printf("%s\n", json_of(profile).dump(2).c_str()))
       : example::print_profile(profile);
}

void print_roofline(const effnet::network_spec& spec, const effnet::shape4& images,
                    const std::string& device, bool json) {
  const auto on = std::ranges::find(example::accelerators, device, &example::accelerator::name);
  const example::roofline made = example::roofline_of(spec, images, *on);
  json ? void(std::printf("%s\n", json_of(made).dump(2).c_str())) : example::print_roofline(made);
}

}  // namespace

int main(int argc, char** argv) {
  example::use_short_spins(argv);
  example::program describe(
      "describe",
      "Describes a network: its stages, parameters, multiply-adds (MACs) and memory, or the time "
      "that its layers take.",
      "  describe efficientnetv2_s\n"
      "  describe efficientnet_b3 --size 224 --json\n"
      "  describe efficientnet_b0 --profile --threads 1\n"
      "  describe efficientnetv2_s --roofline h100 --batch 16\n"
      "  describe my_network.json\n"
      "  describe my_network.json --cpp > my_network.hpp");
  std::string model;
  int size = 0;
  bool json = false, cpp = false;
  describe.options.add_option("MODEL", model, "Name of a network, or its table as FILE.json")
      ->required()
      ->type_name("");
  describe.options.add_option("--size", size, "Image side in pixels (default: the network's own)")
      ->check(example::between(32, 8192))
      ->type_name("N");
  describe.options.add_flag("--json", json, "Print one JSON object");
  describe.options.add_flag("--cpp", cpp, "Print the table as C++, to be put into a program");
  profile_options profile;
  add_profile_options(describe.options, profile);
  std::string device;
  std::vector<std::string> devices;
  for (const example::accelerator& known : example::accelerators) devices.emplace_back(known.name);
  describe.options
      .add_option("--roofline", device,
                  "Print instead what arithmetic and memory of a GPU let every layer take at least")
      ->check(CLI::IsMember(devices))
      ->type_name("GPU");

  return describe.run(argc, argv, [&] {
    for (const char* name : of_profiles)
      if (!profile.wanted && describe.options.count(name) > 0)
        throw example::usage_error(sentence(name, " goes with --profile"));
    if (cpp && (json || profile.wanted || !device.empty() || size > 0))
      throw example::usage_error("--cpp goes with nothing else");
    if (profile.wanted && !device.empty())
      throw example::usage_error("--profile and --roofline exclude each other");
    if (describe.options.count("--batch") > 0 && !profile.wanted && device.empty())
      throw example::usage_error("--batch goes with --profile or --roofline");
    const effnet::named_model chosen = example::choose_model(model);
    const effnet::network_spec& spec = chosen.spec;
    if (cpp) {
      std::fputs(effnet::code_of(spec).c_str(), stdout);
      return example::succeeded;
    }
    if (size == 0) size = spec.eval_size;
    if (!device.empty()) {
      print_roofline(spec, {profile.batch, size, size, spec.in_channels}, device, json);
      return example::succeeded;
    }
    if (profile.wanted) {
      print_profile(chosen, size, profile, json);
      return example::succeeded;
    }
    const effnet::network_summary summary = effnet::summarize(spec, size, size);
    json ? print_json(spec, summary, size) : print_table(spec, summary, size);
    return example::succeeded;
  });
}
