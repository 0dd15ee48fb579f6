#include <doctest/doctest.h>

#include <vector>

#include <effnet/arch/fused_ablation.hpp>
#include <effnet/arch/lite_tables.hpp>
#include <effnet/arch/resnet_tables.hpp>
#include <effnet/arch/summary.hpp>
#include <effnet/arch/v2_tables.hpp>

namespace {
using namespace effnet;

struct anchor {
  std::int64_t parameters, macs;
};
template <std::size_t N>
constexpr bool matches(const network_spec& spec, const anchor (&rows)[N]) {
  const network_summary sum = summarize(spec, spec.eval_size, spec.eval_size);
  if (sum.count != static_cast<int>(N)) return false;
  for (std::size_t i = 0; i < N; ++i)
    if (sum[i].parameters != rows[i].parameters || sum[i].macs != rows[i].macs) return false;
  return true;
}

constexpr anchor b0_rows[] = {{928, 10'838'016},       {1'448, 10'035'712},   {16'714, 54'945'216},
                              {46'640, 37'939'584},    {242'930, 43'555'200}, {543'148, 86'102'400},
                              {2'026'348, 91'528'224}, {717'232, 29'520'000}, {412'160, 20'070'400},
                              {1'281'000, 1'280'000}};
constexpr anchor v2_s_rows[] = {
    {696, 23'887'872},           {10'464, 382'205'952},  {303'552, 2'781'609'984},
    {589'184, 1'351'876'608},    {917'680, 448'880'640}, {3'463'840, 1'587'437'568},
    {14'561'832, 1'741'252'608}, {330'240, 47'185'920},  {1'281'000, 1'280'000}};
constexpr anchor v2_b0_rows[] = {
    {928, 10'838'016},        {4'640, 57'802'752},   {52'736, 163'774'464},
    {136'000, 105'971'712},   {230'652, 41'474'304}, {947'048, 147'432'192},
    {4'238'380, 177'470'496}, {248'320, 12'042'240}, {1'281'000, 1'280'000}};
static_assert(matches(b0, b0_rows));
static_assert(matches(v2_s, v2_s_rows));
static_assert(matches(v2_b0, v2_b0_rows));
}  // namespace

TEST_CASE("arch: stages halve the image with rounding up") {
  const auto sides = [](const network_spec& spec, int size) {
    std::vector<int> found;
    for (const summary_row& row : summarize(spec, size, size))
      if (row.part != "head" && row.part != "classifier") found.push_back(row.height);
    return found;
  };
  CHECK(sides(b0, 224) == std::vector{112, 112, 56, 28, 14, 14, 7, 7});
  CHECK(sides(b2, 260) == std::vector{130, 130, 65, 33, 17, 17, 9, 9});
  CHECK(sides(b3, 300) == std::vector{150, 150, 75, 38, 19, 19, 10, 10});
  CHECK(sides(v2_s, 384) == std::vector{192, 192, 96, 48, 24, 24, 12});
  CHECK(sides(resnet50, 224) == std::vector{56, 56, 28, 14, 7});
}

TEST_CASE("arch: the stages of B4 have their published parts, fused or not") {
  constexpr anchor mbconv_rows[] = {{4'146, 0},     {66'238, 0},    {197'586, 0},  {1'059'898, 0},
                                    {2'306'724, 0}, {8'636'228, 0}, {4'470'004, 0}};
  constexpr anchor fused_rows[] = {{15'648, 561'427'200},        {221'728, 1'985'788'800},
                                   {1'634'848, 3'760'128'000},   {3'978'912, 2'286'821'376},
                                   {21'969'984, 12'647'301'120}, {84'920'768, 12'224'397'312},
                                   {16'778'944, 2'414'665'728}};
  const network_summary plain = summarize(b4, 380, 380);
  const network_summary fused = summarize(b4_fused_1_7, 380, 380);
  for (std::size_t stage = 0; stage < 7; ++stage) {
    CAPTURE(stage);
    CHECK(plain[stage + 1].parameters == mbconv_rows[stage].parameters);
    CHECK(fused[stage + 1].parameters == fused_rows[stage].parameters);
    CHECK(fused[stage + 1].macs == fused_rows[stage].macs);
  }
}

TEST_CASE("arch: rows add up to the network") {
  const network_summary sum = summarize(lite4, 131, 97);
  std::int64_t parameters = 0, macs = 0, activations = 0;
  for (const summary_row& row : sum) {
    parameters += row.parameters;
    macs += row.macs;
    activations += row.activations;
  }
  CHECK(parameters == count_parameters(lite4));
  CHECK(macs == count_macs(lite4, 131, 97));
  CHECK(4 * activations == count_activations(lite4, 1, 131, 97).stored);
  CHECK(sum.parameters == parameters);
  CHECK(sum.macs == macs);
}

TEST_CASE("arch: the receptive field of ResNet-50 is the known one") {
  // 427 pixels when every 3x3 of a stride-2 stage strides (v1.5), 32 pixels apart.
  const network_summary sum = summarize(resnet50, 224, 224);
  CHECK(sum[4].receptive_field == 427);
  CHECK(sum[4].reduction == 32);
  CHECK(sum[0].receptive_field == 11);
}
