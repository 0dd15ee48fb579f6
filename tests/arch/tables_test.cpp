#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <string_view>

#include <effnet/arch/models.hpp>
#include <effnet/arch/tensors.hpp>
#include <effnet/arch/validate.hpp>

namespace {
using namespace effnet;

/// Published sizes: reference implementations counted, one line a model.
struct published {
  const network_spec* spec;
  int size, blocks, bn_layers, tensors;  // tensors: entries of the state dict
  std::int64_t parameters, bn_statistics;
  double gmacs;  // rounded to four digits
};
constexpr published rows[] = {
    {&b0, 224, 16, 49, 360, 5'288'548, 42'016, 0.3858},
    {&b1, 240, 23, 69, 508, 7'794'184, 62'048, 0.6868},
    {&b2, 260, 23, 69, 508, 9'109'994, 67'568, 0.9936},
    {&b3, 300, 26, 78, 574, 12'233'232, 87'296, 1.8271},
    {&b4, 380, 32, 96, 706, 19'341'616, 125'200, 4.3938},
    {&b5, 456, 39, 116, 854, 30'389'784, 172'736, 10.2664},
    {&b6, 528, 45, 134, 986, 43'040'704, 224'432, 19.0676},
    {&b7, 600, 55, 163, 1200, 66'347'960, 310'720, 37.7459},
    {&b8, 672, 61, 181, 1332, 87'413'142, 380'032, 62.5975},
    {&l2, 800, 88, 260, 1914, 480'309'308, 1'090'688, 475.7037},
    {&lite0, 224, 16, 49, 296, 4'652'008, 42'016, 0.3852},
    {&lite1, 240, 21, 64, 386, 5'416'680, 53'664, 0.6002},
    {&lite2, 260, 21, 64, 386, 6'092'072, 58'096, 0.8597},
    {&lite3, 280, 24, 73, 440, 8'197'096, 76'672, 1.3833},
    {&lite4, 300, 30, 91, 548, 13'006'568, 112'368, 2.5530},
    {&v2_b0, 224, 21, 59, 420, 7'139'704, 60'608, 0.7181},
    {&v2_b1, 240, 27, 73, 516, 8'141'052, 71'072, 1.1968},
    {&v2_b2, 260, 28, 76, 538, 10'096'086, 82'288, 1.6975},
    {&v2_b3, 300, 32, 88, 626, 14'358'406, 109'216, 3.0115},
    {&v2_s, 384, 40, 110, 782, 21'458'488, 153'872, 8.3656},
    {&v2_m, 480, 57, 157, 1120, 54'139'356, 292'032, 24.5825},
    {&v2_l, 480, 79, 217, 1548, 118'515'272, 512'576, 56.0797},
    {&v2_xl, 512, 100, 278, 1990, 208'119'808, 777'024, 93.3535},
    {&resnet50, 224, 16, 53, 320, 25'557'032, 53'120, 4.0892},
    {&resnet152, 224, 50, 155, 932, 60'192'808, 151'424, 11.5136},
};

double rounded_gmacs(std::int64_t macs) {
  return std::round(static_cast<double>(macs) / 1e5) / 1e4;
}

constexpr bool holds(const published& row) {
  const std::int64_t tenths_of_mmacs = (count_macs(*row.spec, row.size) + 50'000) / 100'000;
  return row.spec->eval_size == row.size && block_count(*row.spec) == row.blocks &&
         count_bn_layers(*row.spec) == row.bn_layers &&
         count_parameters(*row.spec) == row.parameters &&
         count_bn_statistics(*row.spec) == row.bn_statistics &&
         tenths_of_mmacs == static_cast<std::int64_t>(row.gmacs * 1e4 + 0.5);
}
static_assert(std::ranges::all_of(rows, holds));
}  // namespace

TEST_CASE("arch: every model has its published size, depth and cost") {
  for (const published& row : rows) {
    CAPTURE(row.spec->name.text);
    CHECK(row.spec->eval_size == row.size);
    CHECK(block_count(*row.spec) == row.blocks);
    CHECK(count_bn_layers(*row.spec) == row.bn_layers);
    CHECK(static_cast<int>(count_tensors(*row.spec)) == row.tensors);
    CHECK(count_parameters(*row.spec) == row.parameters);
    CHECK(count_bn_statistics(*row.spec) == row.bn_statistics);
    CHECK(rounded_gmacs(count_macs(*row.spec, row.size)) ==
          doctest::Approx(row.gmacs).epsilon(1e-9));
  }
}

TEST_CASE("arch: the cost at other image sizes is the published one") {
  const auto at = [](const network_spec& spec, int size) {
    return std::round(static_cast<double>(count_macs(spec, size)) / 1e6) / 1e3;
  };
  CHECK(at(v2_s, 128) == doctest::Approx(0.934));
  CHECK(at(v2_s, 300) == doctest::Approx(5.308));
  CHECK(at(v2_m, 384) == doctest::Approx(15.737));
  CHECK(at(v2_l, 128) == doctest::Approx(4.010));
  CHECK(at(v2_xl, 384) == doctest::Approx(52.529));
  CHECK(at(v2_b2, 208) == doctest::Approx(1.043));
  CHECK(at(lite3, 300) == doctest::Approx(1.608));
  CHECK(at(lite4, 380) == doctest::Approx(3.944));
}

TEST_CASE("arch: a classifier for ImageNet-21k changes the parameters as published") {
  static_assert(count_parameters(with_classes(v2_s, 21'843)) == 48'158'371);
  static_assert(count_parameters(with_classes(v2_m, 21'843)) == 80'839'239);
  static_assert(count_parameters(with_classes(v2_l, 21'843)) == 145'215'155);
  static_assert(count_parameters(with_classes(v2_xl, 21'843)) == 234'819'691);
  CHECK(count_parameters(with_classes(v2_b0, 21'843)) == 33'839'587);
  CHECK(count_parameters(with_classes(v2_b1, 21'843)) == 34'840'935);
  CHECK(count_parameters(with_classes(v2_b2, 21'843)) == 39'463'873);
  CHECK(count_parameters(with_classes(v2_b3, 21'843)) == 46'394'097);
}

TEST_CASE("arch: the fused-stage ablation of B4 has the counts of its rule") {
  static_assert(count_macs(b4, 380) == 4'393'771'024);
  static_assert(count_macs(b4_fused_1_3, 380) == 9'648'314'752);
  static_assert(count_macs(b4_fused_1_5, 380) == 22'995'292'864);
  static_assert(count_macs(b4_fused_1_7, 380) == 36'044'712'640);
  static_assert(count_macs(published_fit::b4_fused_1_3, 380) == 7'340'966'368);
  static_assert(count_macs(published_fit::b4_fused_1_5, 380) == 21'091'391'248);
  static_assert(count_macs(published_fit::b4_fused_1_7, 380) == 34'140'811'024);
  CHECK(b4_fused_1_3.stages[0].op == block_op::fused_mbconv);
  CHECK(b4_fused_1_3.stages[3].op == block_op::mbconv);
}

TEST_CASE("arch: models are found by the names of every library") {
  CHECK(model_by_name("efficientnet_b3").spec == b3);
  CHECK_FALSE(model_by_name("efficientnet_b3").family.has_value());
  CHECK(model_by_name("tf_efficientnetv2_s").spec == v2_s);
  CHECK(model_by_name("tf_efficientnetv2_s").family == convention_name::tf);
  CHECK(model_by_name("efficientnet_v2_s").spec == v2_s);
  CHECK(model_by_name("resnet152").spec == resnet152);
  CHECK_THROWS_WITH_AS(model_by_name("efficientnet_b9"),
                       doctest::Contains("unknown model 'efficientnet_b9'"), spec_error);
  for (const network_spec* spec : models) CHECK(first_violation(*spec).rule == spec_rule::none);
}

TEST_CASE("arch: SE squeezes from the block's input channels") {
  CHECK(block_of(b0.stages[1], 0).squeezed() == 4);
  CHECK(block_of(b0.stages[1], 1).squeezed() == 6);
  CHECK(block_of(v2_s.stages[3], 0).squeezed() == 16);
  CHECK(block_spec{.in = 2, .se = 0.25f}.squeezed() == 1);
}
