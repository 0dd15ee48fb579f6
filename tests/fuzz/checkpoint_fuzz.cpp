// Whatever the bytes, a checkpoint is taken up as a whole or refused with an error, and then
// nothing of the trainer has changed.

#include <cstdint>
#include <cstdlib>
#include <vector>

#include <effnet/train/resume.hpp>

#include "../train/toy_network.hpp"

namespace {

using toy_trainer = effnet::trainer<effnet::testing::toy_network, effnet::sgd>;

std::vector<float> floats_of(toy_trainer& t) {
  std::vector<float> all;
  effnet::detail::for_each_part(
      t, [&](const std::string&, const effnet::tensor_spec&, std::span<const float> part) {
        all.insert(all.end(), part.begin(), part.end());
      });
  return all;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::span bytes(reinterpret_cast<const std::byte*>(data), size);
  static toy_trainer untouched{effnet::testing::toy_network(), effnet::sgd{}, {}};
  static const std::vector<float> before = floats_of(untouched);
  try {
    const effnet::checkpoint read =
        effnet::checkpoint_from(effnet::parse_safetensors(bytes, nullptr, "fuzz"));
    if (read.steps_done < 0) std::abort();
    effnet::detail::checksum_of(read.file);
    toy_trainer t{effnet::testing::toy_network(), effnet::sgd{}, {}};
    effnet::resume(t, read);
    if (t.steps_done() != read.steps_done) std::abort();
  } catch (const effnet::error&) {
    try {
      effnet::resume(untouched,
                     effnet::checkpoint_from(effnet::parse_safetensors(bytes, nullptr, "fuzz")));
      std::abort();  // refused once and taken then
    } catch (const effnet::error&) {
    }
    if (untouched.steps_done() != 0 || floats_of(untouched) != before) std::abort();
  }
  return 0;
}
