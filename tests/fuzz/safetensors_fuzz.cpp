// Whatever the bytes, reading safetensors gives tensors that lie within them, or a file_error.

#include <cstdint>
#include <cstdlib>

#include <effnet/arch/v1_tables.hpp>
#include <effnet/io/read_weights.hpp>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::span bytes(reinterpret_cast<const std::byte*>(data), size);
  try {
    const effnet::state_dict dict = effnet::parse_safetensors(bytes, nullptr, "fuzz");
    std::size_t covered = 0;
    for (const auto& [name, tensor] : dict.tensors) {
      if (tensor.data < bytes.data() || tensor.bytes() > size) std::abort();
      covered += tensor.bytes();
      effnet::first_not_finite(tensor);
    }
    if (covered > size) std::abort();
    effnet::convention rule;
    std::vector<std::string> labels;
    effnet::read_metadata(dict, rule, labels);
    effnet::weights_from(dict, effnet::b0);
  } catch (const effnet::error&) {
  }
  return 0;
}
