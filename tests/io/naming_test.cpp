#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include <effnet/arch/models.hpp>
#include <effnet/io/naming.hpp>

using namespace effnet;

namespace {

std::vector<std::string> names_of(naming names, const network_spec& spec) {
  std::vector<std::string> all;
  for_each_tensor(spec, [&](const tensor_spec& t) { all.push_back(tensor_name(names, spec, t)); });
  return all;
}

/// The convolutions' names in the order of the state dict.
std::vector<std::string> weights_in(const std::vector<std::string>& all, std::string_view block) {
  std::vector<std::string> found;
  for (const std::string& name : all)
    if (name.starts_with(block) && name.ends_with("weight"))
      found.push_back(name.substr(block.size()));
  return found;
}

using list = std::vector<std::string>;

}  // namespace

TEST_CASE("io: timm's names of the blocks of B0 and V2-S") {
  const list v1 = names_of(naming::timm, b0), v2 = names_of(naming::timm, v2_s);
  CHECK(v1.size() == 360);
  CHECK(v2.size() == 782);
  CHECK(v1[0] == "conv_stem.weight");
  CHECK(v1[5] == "bn1.num_batches_tracked");
  CHECK(weights_in(v1, "blocks.0.0.") == list{"conv_dw.weight", "bn1.weight",
                                              "se.conv_reduce.weight", "se.conv_expand.weight",
                                              "conv_pw.weight", "bn2.weight"});
  CHECK(weights_in(v1, "blocks.5.2.") ==
        list{"conv_pw.weight", "bn1.weight", "conv_dw.weight", "bn2.weight",
             "se.conv_reduce.weight", "se.conv_expand.weight", "conv_pwl.weight", "bn3.weight"});
  CHECK(weights_in(v2, "blocks.0.1.") == list{"conv.weight", "bn1.weight"});
  CHECK(weights_in(v2, "blocks.1.0.") ==
        list{"conv_exp.weight", "bn1.weight", "conv_pwl.weight", "bn2.weight"});
  CHECK(v1[v1.size() - 2] == "classifier.weight");
}

TEST_CASE("io: torchvision's names of the blocks of B0, Lite0 and V2-S") {
  const list v1 = names_of(naming::torchvision, b0), v2 = names_of(naming::torchvision, v2_s);
  CHECK(v1[0] == "features.0.0.weight");
  CHECK(v1[1] == "features.0.1.weight");
  CHECK(weights_in(v1, "features.1.0.block.") == list{"0.0.weight", "0.1.weight", "1.fc1.weight",
                                                      "1.fc2.weight", "2.0.weight", "2.1.weight"});
  CHECK(weights_in(v1, "features.2.1.block.") == list{"0.0.weight", "0.1.weight", "1.0.weight",
                                                      "1.1.weight", "2.fc1.weight", "2.fc2.weight",
                                                      "3.0.weight", "3.1.weight"});
  CHECK(weights_in(v2, "features.1.1.block.") == list{"0.0.weight", "0.1.weight"});
  CHECK(weights_in(v2, "features.2.0.block.") ==
        list{"0.0.weight", "0.1.weight", "1.0.weight", "1.1.weight"});
  CHECK(weights_in(v2, "features.7.") == list{"0.weight", "1.weight"});
  CHECK(weights_in(v1, "features.8.") == list{"0.weight", "1.weight"});
  CHECK(weights_in(names_of(naming::torchvision, lite0), "features.2.0.block.") ==
        list{"0.0.weight", "0.1.weight", "1.0.weight", "1.1.weight", "2.0.weight", "2.1.weight"});
  CHECK(v1.back() == "classifier.1.bias");
}

TEST_CASE("io: lukemelas' names number blocks through, and V2 has none") {
  const list names = names_of(naming::lukemelas, b0);
  CHECK(weights_in(names, "_blocks.0.") == list{"_depthwise_conv.weight", "_bn1.weight",
                                                "_se_reduce.weight", "_se_expand.weight",
                                                "_project_conv.weight", "_bn2.weight"});
  CHECK(weights_in(names, "_blocks.15.") ==
        list{"_expand_conv.weight", "_bn0.weight", "_depthwise_conv.weight", "_bn1.weight",
             "_se_reduce.weight", "_se_expand.weight", "_project_conv.weight", "_bn2.weight"});
  CHECK(names[1] == "_bn0.weight");
  CHECK(names.back() == "_fc.bias");
  CHECK(names_of(naming::lukemelas, lite0).size() == 296);
  CHECK_FALSE(can_name(naming::lukemelas, v2_s));
  CHECK_THROWS_AS(names_of(naming::lukemelas, v2_s), weight_error);
}

TEST_CASE("io: ResNet's names are the same in every naming") {
  const list names = names_of(naming::timm, resnet50);
  CHECK(names.size() == 320);
  CHECK(names == names_of(naming::torchvision, resnet50));
  CHECK(weights_in(names, "layer2.0.") == list{"conv1.weight", "bn1.weight", "conv2.weight",
                                               "bn2.weight", "conv3.weight", "bn3.weight",
                                               "downsample.0.weight", "downsample.1.weight"});
  CHECK(names.back() == "fc.bias");
}

TEST_CASE("io: no two tensors of a network have one name") {
  for (const network_spec* spec : models)
    for (naming way : {naming::timm, naming::torchvision, naming::lukemelas}) {
      if (!can_name(way, *spec)) continue;
      CAPTURE(std::string(std::string_view(spec->name)));
      list names = names_of(way, *spec);
      std::ranges::sort(names);
      CHECK(std::ranges::adjacent_find(names) == names.end());
      CHECK(find_naming(name_of(way)) == way);
    }
}
