// Whatever the bytes, reading a file of torch.save gives tensors whose bytes exist, or a
// file_error. Inputs that do not begin as one are taken for a pickle alone.

#include <cstdint>
#include <cstdlib>

#include <effnet/io/torch_file.hpp>

namespace {

volatile unsigned sink = 0;

void touch(const effnet::state_dict& dict) {
  for (const auto& [name, tensor] : dict.tensors) {
    unsigned sum = 0;
    for (std::size_t i = 0; i < tensor.bytes(); ++i) sum += static_cast<unsigned>(tensor.data[i]);
    sink = sink + sum;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::span bytes(reinterpret_cast<const std::byte*>(data), size);
  try {
    if (effnet::is_torch_file(bytes)) {
      touch(effnet::parse_torch_file(bytes, nullptr, "fuzz"));
    } else {
      effnet::detail::pickle_heap heap(size);
      const std::string file = "fuzz";
      const auto* root = effnet::detail::unpickler(bytes, file, heap).read();
      effnet::detail::tensors_of(effnet::detail::find_state_dict(root, file), file);
    }
  } catch (const effnet::file_error&) {
  }
  return 0;
}
