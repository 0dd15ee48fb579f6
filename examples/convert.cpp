// Converts weights: PyTorch .pth or safetensors in, safetensors in any naming out.

#include <cstdio>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <effnet/io/matching_models.hpp>
#include <effnet/torch.hpp>
#include <effnet/weights.hpp>

#include "chosen_model.hpp"
#include "class_list.hpp"
#include "program.hpp"

namespace {

using effnet::sentence;

/// The network that the file's names and shapes tell, where the user named none.
effnet::named_model recognise(const effnet::state_dict& file) {
  const std::vector<effnet::network_spec> matches = effnet::matching_models(file);
  if (matches.size() == 1) return {.spec = matches.front(), .family = {}};
  std::string candidates;
  for (const effnet::network_spec& spec : matches)
    candidates += sentence(candidates.empty() ? "" : ", ", std::string_view(spec.name));
  throw effnet::weight_error(
      matches.empty()
          ? sentence(effnet::path_in_quotes(file.path),
                     " holds the tensors of no network that is known by name; give --model to "
                     "learn what is missing")
          : sentence(effnet::path_in_quotes(file.path), " fits several networks: ", candidates,
                     "; choose with --model"));
}

/// What other programs wrote into the file about itself; effnet's own entries are written anew.
std::map<std::string, std::string> foreign_metadata(const effnet::state_dict& file) {
  std::map<std::string, std::string> kept;
  for (const auto& [key, value] : file.metadata) {
    const bool own = key.starts_with("effnet.") && key.find('.', 7) == key.npos;
    if (!own) kept.emplace(key, value);
  }
  return kept;
}

}  // namespace

int main(int argc, char** argv) {
  example::program convert(
      "convert",
      "Converts weights of a network: reads PyTorch .pth or safetensors, writes safetensors. Types "
      "and bytes of the tensors stay as they are.",
      "  convert efficientnet-lite0-57934424.pth lite0.safetensors\n"
      "  convert b0.safetensors b0_timm.safetensors --naming timm\n"
      "  convert tf_b3.pth b3.safetensors --model tf_efficientnet_b3 --labels classes.txt");
  std::string in, out, model, naming, convention, labels;
  convert.options.add_option("IN", in, "Weights to read, whatever their naming")
      ->required()
      ->type_name("");
  convert.options.add_option("OUT", out, "File to write, .safetensors")->required()->type_name("");
  convert.options
      .add_option("--model", model,
                  "Name of the network (a leading tf_ selects the tf convention) or FILE.json "
                  "(default: recognised)")
      ->type_name("M");
  example::add_choice(convert.options, "--naming", naming, {"timm", "torchvision", "lukemelas"},
                      "Names to write (default: those of IN)");
  example::add_choice(convert.options, "--convention", convention,
                      {"tf", "timm", "torchvision", "keras", "lite"},
                      "Padding, batch norm and input rules to write (default: as IN says, else as "
                      "its naming has them)");
  convert.options.add_option("--labels", labels, "Class names to write along: one a line, or JSON")
      ->type_name("FILE");

  return convert.run(argc, argv, [&] {
    if (out.ends_with(".pth") || out.ends_with(".pt"))
      throw example::usage_error("convert writes safetensors: name OUT .safetensors");
    const effnet::state_dict file = effnet::read_state_dict(in);
    const effnet::named_model chosen =
        model.empty() ? recognise(file) : example::choose_model(model);
    effnet::read_options options;
    options.model_family = chosen.family;
    if (!convention.empty()) options.convention = effnet::find_convention(convention);
    const effnet::network_spec spec = effnet::spec_for_file(file, chosen.spec);
    effnet::weights weights = effnet::weights_from(file, spec, options);
    if (!labels.empty()) weights.labels = example::choose_classes(labels, {}, spec.classes).names;
    const effnet::naming found = *effnet::detect_naming(file, spec);
    const effnet::naming wanted = naming.empty() ? found : *effnet::find_naming(naming);
    effnet::write_weights(out, weights, wanted, foreign_metadata(file));
    convert.report(sentence("wrote ", file.tensors.size(), " tensors of ",
                            std::string_view(spec.name), " (", spec.classes, " classes) from ",
                            effnet::name_of(found), " to ", effnet::name_of(wanted),
                            " naming: ", out));
    return example::succeeded;
  });
}
