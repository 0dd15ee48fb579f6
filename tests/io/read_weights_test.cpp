#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include <effnet/arch/lite_tables.hpp>
#include <effnet/arch/v2_tables.hpp>
#include <effnet/io/matching_models.hpp>
#include <effnet/torch.hpp>
#include <effnet/weights.hpp>

#include "shared_data.hpp"
#include "temporary_folder.hpp"

using namespace effnet;
using namespace effnet::testing;

namespace {

/// Every kind of block, few channels.
constexpr network_spec tiny{
    .name = "tiny",
    .stem = 8,
    .stages = {mbconv{.expand = 1, .in = 8, .out = 8, .se = 0.25f},
               mbconv{.repeats = 2, .stride = 2, .expand = 4, .in = 8, .out = 16, .se = 0.25f}},
    .head = 24,
    .classes = 5,
};
constexpr network_spec tiny_fused = [] {
  network_spec spec = tiny;
  spec.name = "tiny_fused";
  spec.stages[0] = fused_mbconv{.expand = 1, .in = 8, .out = 8};
  spec.stages.push_back(fused_mbconv{.expand = 2, .in = 16, .out = 16, .se = 0.5f});
  return spec;
}();

/// Weights with counters, so that every part is there.
weights counted(const network_spec& spec) {
  weights made = initial_weights(spec, 1);
  const auto count = std::make_shared<std::int64_t>(12345);
  for (raw_tensor& tensor : made.tensors)
    if (tensor.data == nullptr) {
      tensor.data = reinterpret_cast<const std::byte*>(count.get());
      tensor.owner = count;
    }
  return made;
}

bool same_bytes(const raw_tensor& a, const raw_tensor& b) {
  if (a.type != b.type || a.shape != b.shape || (a.data == nullptr) != (b.data == nullptr))
    return false;
  return a.data == nullptr || std::memcmp(a.data, b.data, a.bytes()) == 0;
}

bool same_tensors(const weights& a, const weights& b) {
  bool same = a.tensors.size() == b.tensors.size();
  for (std::size_t i = 0; same && i < a.tensors.size(); ++i)
    same = same_bytes(a.tensors[i], b.tensors[i]);
  return same;
}

raw_tensor& tensor_named(state_dict& dict, std::string_view name) {
  for (auto& [key, tensor] : dict.tensors)
    if (key == name) return tensor;
  FAIL("no tensor " << std::string(name));
  return dict.tensors.front().second;
}

/// The same extents with other bytes.
raw_tensor with_type(const raw_tensor& tensor, dtype type) {
  raw_tensor changed = tensor;
  const auto storage = std::make_shared<std::vector<std::byte>>(tensor.elements() * size_of(type));
  changed.type = type;
  changed.data = storage->data();
  changed.owner = storage;
  return changed;
}

raw_tensor with_element(const raw_tensor& tensor, std::size_t index, float value) {
  raw_tensor changed = with_type(tensor, dtype::f32);
  auto* data = const_cast<std::byte*>(changed.data);
  std::memcpy(data, tensor.data, tensor.bytes());
  std::memcpy(data + index * sizeof value, &value, sizeof value);
  return changed;
}

}  // namespace

TEST_CASE("io: weights are the same, bit for bit, after any chain of namings") {
  const temporary_folder folder;
  for (const network_spec& spec : {tiny, tiny_fused}) {
    const weights original = counted(spec);
    weights current = original;
    int step = 0;
    using enum naming;
    for (naming names : {timm, torchvision, lukemelas, timm, lukemelas, torchvision, timm}) {
      if (!can_name(names, spec)) continue;
      const std::string path = folder / sentence("step", step++);
      write_weights(path, current, names);
      CHECK(detect_naming(read_state_dict(path), spec) == names);
      current = read_weights(path, spec);
      CHECK(same_tensors(current, original));
      write_weights(folder / "again", current, names);
      CHECK(file_bytes(path) == file_bytes(folder / "again"));
    }
  }
}

TEST_CASE("io: weights come in the order of the table whatever the order of the file") {
  const weights original = counted(tiny);
  state_dict dict = state_dict_of(original, naming::timm);
  std::ranges::reverse(dict.tensors);
  CHECK(same_tensors(weights_from(dict, tiny), original));
}

TEST_CASE("io: counters of batches may be absent, and stay absent") {
  const weights original = initial_weights(tiny);
  const state_dict dict = state_dict_of(original, naming::torchvision);
  CHECK(dict.tensors.size() < original.tensors.size());
  const weights read = weights_from(dict, tiny);
  CHECK(same_tensors(read, original));
  CHECK(state_dict_of(read, naming::torchvision).tensors.size() == dict.tensors.size());
}

TEST_CASE("io: missing, unexpected and misshapen tensors are all listed in one message") {
  state_dict dict = state_dict_of(counted(tiny), naming::timm);
  dict.path = "w.pth";
  std::erase_if(dict.tensors, [](const auto& entry) { return entry.first == "conv_head.weight"; });
  tensor_named(dict, "blocks.1.0.conv_dw.weight").shape = {32, 1, 1, 9};
  dict.tensors.emplace_back("ema\n", dict.tensors[1].second);
  std::string message;
  try {
    weights_from(dict, tiny);
  } catch (const weight_error& e) {
    message = e.what();
  }
  for (const char* part : {"'w.pth' does not fit tiny (timm naming)",
                           "1 missing: conv_head.weight [24, 16, 1, 1]", "1 unexpected: 'ema?' [8]",
                           "1 of another shape: blocks.1.0.conv_dw.weight expected [32, 1, 3, 3] "
                           "found [32, 1, 1, 9]"}) {
    CAPTURE(message);
    CHECK(message.find(part) != std::string::npos);
  }
}

TEST_CASE("io: a long list of missing tensors is cut") {
  state_dict dict = state_dict_of(counted(tiny), naming::timm);
  dict.tensors.resize(4);
  CHECK_THROWS_WITH_AS(weights_from(dict, tiny), doctest::Contains(" more; "), weight_error);
}

TEST_CASE("io: a file of another network is told so") {
  state_dict dict;
  CHECK_THROWS_WITH_AS(weights_from(dict, tiny), doctest::Contains("no tensor of tiny"),
                       weight_error);
  dict.tensors.emplace_back("x", raw_tensor{});
  CHECK_THROWS_WITH_AS(weights_from(dict, tiny), doctest::Contains("its first is 'x'"),
                       weight_error);
}

TEST_CASE("io: another number of classes is refused with the remedy, or taken from the file") {
  const state_dict dict =
      state_dict_of(counted(with_in_channels(with_classes(tiny, 7), 1)), naming::lukemelas);
  const network_spec adjusted = spec_for_file(dict, tiny);
  CHECK(adjusted.classes == 7);
  CHECK(adjusted.in_channels == 1);
  CHECK_NOTHROW(weights_from(dict, adjusted));
  CHECK_THROWS_WITH_AS(weights_from(dict, with_in_channels(tiny, 1)),
                       doctest::Contains("with_classes(spec, 7)"), weight_error);
}

TEST_CASE("io: infinite elements and NaN are refused with tensor and index") {
  state_dict dict = state_dict_of(counted(tiny), naming::timm);
  raw_tensor& weight = tensor_named(dict, "conv_head.weight");
  for (float value : {std::nanf(""), HUGE_VALF, -HUGE_VALF}) {
    weight = with_element(weight, 301, value);
    CHECK_THROWS_WITH_AS(weights_from(dict, tiny),
                         doctest::Contains("'conv_head.weight' of '' is infinite or not a number "
                                           "at element 301"),
                         weight_error);
  }
  CHECK_NOTHROW(weights_from(
      dict, tiny, {.naming = {}, .convention = {}, .model_family = {}, .check_finite = false}));
}

TEST_CASE("io: negative variances are refused unless eps outweighs them") {
  state_dict dict = state_dict_of(counted(tiny), naming::timm);
  raw_tensor& variance = tensor_named(dict, "bn2.running_var");
  for (float harmless : {0.0f, -1e-6f}) {
    variance = with_element(variance, 3, harmless);
    CHECK_NOTHROW(weights_from(dict, tiny));
  }
  variance = with_element(variance, 3, -1.0f);
  CHECK_THROWS_WITH_AS(weights_from(dict, tiny),
                       doctest::Contains("'bn2.running_var' of '' holds a negative variance at "
                                         "element 3"),
                       weight_error);
}

TEST_CASE("io: NaN is found in every floating type") {
  const auto first = [](dtype type, std::vector<std::byte> bytes) {
    raw_tensor tensor;
    tensor.type = type;
    tensor.shape = {static_cast<std::int64_t>(bytes.size() / size_of(type))};
    tensor.data = bytes.data();
    return first_not_finite(tensor);
  };
  const std::byte zero{0}, high{0x7F}, bf{0x80}, half{0x7C}, f64{0xF0};
  CHECK(first(dtype::f16, {zero, zero, zero, half}) == 1);
  CHECK(first(dtype::f16, {zero, zero, zero, std::byte{0x7B}}) == std::nullopt);
  CHECK(first(dtype::bf16, {bf, high}) == 0);
  CHECK(first(dtype::f64, {zero, zero, zero, zero, zero, zero, f64, high}) == 0);
  CHECK(first(dtype::i16, {high, high}) == std::nullopt);
}

TEST_CASE("io: half and double weights are kept, integers are refused") {
  state_dict dict = state_dict_of(counted(tiny), naming::timm);
  raw_tensor& weight = tensor_named(dict, "classifier.weight");
  for (dtype type : {dtype::f16, dtype::bf16, dtype::f64}) {
    weight = with_type(weight, type);
    const weights read = weights_from(dict, tiny);
    CHECK(read.tensors[read.tensors.size() - 2].type == type);
  }
  weight = with_type(weight, dtype::i32);
  CHECK_THROWS_WITH_AS(weights_from(dict, tiny),
                       doctest::Contains("classifier.weight expected F32, F16, BF16 or F64 found "
                                         "I32"),
                       weight_error);
}

TEST_CASE("io: conventions follow from the naming, the model's name, metadata and options") {
  const weights made = counted(tiny);
  state_dict dict = state_dict_of(made, naming::timm);
  dict.metadata.clear();
  using enum convention_name;
  CHECK(weights_from(dict, tiny).rule == convention_for(timm, tiny));
  read_options options;
  options.model_family = tf;
  CHECK(weights_from(dict, tiny, options).rule == convention_for(tf, tiny));
  dict.metadata["effnet.padding"] = "symmetric";
  dict.metadata["effnet.bn_eps"] = "0.5";
  dict.metadata["padding"] = "of no meaning";
  dict.metadata["effnet.train.step"] = "of no meaning here";
  convention expected = convention_for(tf, tiny);
  expected.padding = padding_rule::symmetric;
  expected.bn_eps = 0.5f;
  CHECK(weights_from(dict, tiny, options).rule == expected);
  options.convention = keras;
  CHECK(weights_from(dict, tiny, options).rule == convention_for(keras, tiny));

  state_dict other = state_dict_of(made, naming::lukemelas);
  other.metadata.clear();
  CHECK(weights_from(other, tiny).rule == convention_for(tf, tiny));
  other = state_dict_of(made, naming::torchvision);
  other.metadata.clear();
  CHECK(weights_from(other, tiny).rule == convention_for(torchvision, tiny));
}

TEST_CASE("io: convention and labels come back from the metadata") {
  weights made = counted(tiny);
  made.rule = {.padding = padding_rule::symmetric, .bn_eps = 1e-5f, .bn_momentum = 0.1f};
  made.rule.input = {.size = 300,
                     .resize = 333,
                     .crop = crop_rule::tf_center,
                     .filter = interpolation::tf_bilinear,
                     .mean = {0.1f, 127.5f, -3},
                     .deviation = {58.395f, 1e-3f, 128}};
  made.labels = {"a", "\"quoted\"", "\xC3\xA9", "", "e\n"};
  const temporary_folder folder;
  write_weights(folder / "w", made, naming::timm, {{"license", "own"}});
  const state_dict file = read_state_dict(folder / "w");
  const weights read = weights_from(file, tiny);
  CHECK(read.rule == made.rule);
  CHECK(read.labels == made.labels);
  CHECK(file.metadata.at("license") == "own");
  CHECK(file.metadata.at("effnet.model") == "tiny");
}

TEST_CASE("io: metadata that makes no sense is refused") {
  const state_dict good = state_dict_of(counted(tiny), naming::timm);
  for (const auto& [key, value] :
       std::vector<std::pair<std::string, std::string>>{{"padding", "same"},
                                                        {"bn_eps", "0"},
                                                        {"bn_eps", "nan"},
                                                        {"bn_eps", "1e-3x"},
                                                        {"bn_momentum", "2"},
                                                        {"input_size", "0"},
                                                        {"input_size", "224.0"},
                                                        {"resize", "99999999"},
                                                        {"crop", ""},
                                                        {"interpolation", "box"},
                                                        {"mean", "1,2"},
                                                        {"mean", "1,2,3,4"},
                                                        {"std", "1,0,1"},
                                                        {"std", "1,inf,1"},
                                                        {"classes", "a,b"},
                                                        {"classes", "[1]"},
                                                        {"classes", "[\"a\"] x"},
                                                        {"classes", "[\"too few\"]"},
                                                        {"paddding", "tf_same"}}) {
    CAPTURE(key);
    CAPTURE(value);
    state_dict dict = good;
    dict.metadata["effnet." + key] = value;
    CHECK_THROWS_WITH_AS(weights_from(dict, tiny), doctest::Contains(("effnet." + key).c_str()),
                         file_error);
  }
}

TEST_CASE("io: networks are recognised by names and shapes") {
  const auto names = [](const state_dict& dict) {
    std::string found;
    for (const network_spec& spec : matching_models(dict))
      found += std::string(std::string_view(spec.name)) + " ";
    return found;
  };
  weights made{.spec = with_classes(v2_b0, 10), .rule = {}, .tensors = {}, .labels = {}};
  for_each_tensor(made.spec, [&](const tensor_spec& t) {  // shapes are enough
    raw_tensor tensor;
    tensor.shape.assign(t.extents.begin(), t.extents.begin() + t.rank);
    static const std::byte somewhere{};
    tensor.data = &somewhere;
    made.tensors.push_back(tensor);
  });
  state_dict dict = state_dict_of(made, naming::torchvision);
  CHECK(names(dict) == "efficientnetv2_b0 ");
  CHECK(matching_models(dict).at(0).classes == 10);
  dict.tensors.emplace_back("extra", raw_tensor{});
  CHECK(names(dict).empty());
}

TEST_CASE("io: real Lite0 weights carry Lite's conventions without metadata of effnet's") {
  const auto path = shared_data("weights/efficientnet_lite0.safetensors");
  if (!path) return;
  const weights lite = read_weights(*path, lite0);
  CHECK(lite.rule == convention_for(convention_name::lite, lite0));
  CHECK(lite.rule.input.resize == 256);
  CHECK(lite.rule.input.mean[0] == 127);
  const state_dict file = read_state_dict(*path);
  CHECK(matching_models(file).size() == 1);

  const temporary_folder folder;
  write_weights(folder / "timm", lite, naming::timm);
  write_weights(folder / "back", read_weights(folder / "timm", lite0), naming::lukemelas);
  const state_dict back = read_state_dict(folder / "back");
  REQUIRE(back.tensors.size() == file.tensors.size());
  for (const auto& [name, tensor] : file.tensors) {
    const raw_tensor* same = back.find(name);
    REQUIRE(same != nullptr);
    CHECK(same_bytes(*same, tensor));
  }
}

TEST_CASE("io: read_weights says what to do with a file of PyTorch") {
  const temporary_folder folder;
  for (const std::string& content :
       {std::string("PK\x03\x04 and so on"), std::string("\x80\x02 and so on")}) {
    write_bytes(folder / "w.pth", content);
    CHECK_THROWS_WITH_AS(read_weights(folder / "w.pth", tiny),
                         doctest::Contains("is a PyTorch file: read it with read_state_dict"),
                         file_error);
  }
}
