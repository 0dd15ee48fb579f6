#pragma once

#include <string>
#include <string_view>

#include <effnet/core/file_mapping.hpp>
#include <effnet/io/safetensors.hpp>
#include <effnet/io/weights_from.hpp>

namespace effnet {

/// Reads weights from a safetensors file into the shape of `spec`: see `weights_from`. The tensors
/// are the mapped file's. Throws `file_error`, `weight_error`. For PyTorch's files:
/// `weights_from(read_state_dict(path), spec)` of <effnet/torch.hpp>.
inline weights read_weights(const std::string& path, const network_spec& spec,
                            const read_options& options = {}) {
  const file_mapping file = map_file(path);
  const std::string_view text(reinterpret_cast<const char*>(file.bytes.data()), file.bytes.size());
  const bool safetensors = text.size() > 8 && text[8] == '{';
  if (!safetensors && (text.starts_with("PK\x03\x04") || text.starts_with('\x80')))
    throw file_error(sentence(path_in_quotes(path),
                              " is a PyTorch file: read it with read_state_dict of "
                              "<effnet/torch.hpp>, or make it safetensors with convert"));
  return weights_from(parse_safetensors(file.bytes, file.owner, path), spec, options);
}

}  // namespace effnet
