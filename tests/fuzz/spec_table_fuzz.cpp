// Whatever the text, it is a table that chains and reads back as it is written, or a spec_error.

#include <cstdint>
#include <cstdlib>

#include <effnet/io/spec_table.hpp>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  effnet::network_spec spec;
  try {
    spec = effnet::spec_from_json({reinterpret_cast<const char*>(data), size});
  } catch (const effnet::spec_error&) {
    return 0;
  }
  if (effnet::spec_from_json(effnet::spec_to_json(spec)) != spec) std::abort();
  return 0;
}
