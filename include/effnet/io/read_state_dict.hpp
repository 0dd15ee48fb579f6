#pragma once

#include <string>
#include <string_view>

#include <effnet/core/file_mapping.hpp>
#include <effnet/core/raw_tensor.hpp>
#include <effnet/io/safetensors.hpp>
#include <effnet/io/torch_file.hpp>

namespace effnet {

/// Reads named tensors from a safetensors or PyTorch file, whichever its content says it is.
/// Throws `file_error`.
inline state_dict read_state_dict(const std::string& path) {
  const file_mapping mapping = map_file(path);
  if (mapping.bytes.empty()) throw file_error(sentence(path_in_quotes(path), " is empty"));
  if (is_torch_file(mapping.bytes)) return parse_torch_file(mapping.bytes, mapping.owner, path);
  const std::string_view text(reinterpret_cast<const char*>(mapping.bytes.data()),
                              mapping.bytes.size());
  if (text.starts_with("version https://git-lfs"))
    throw file_error(sentence(path_in_quotes(path),
                              " is a git-lfs pointer, not the weights; fetch them "
                              "with git lfs pull"));
  if (text.starts_with("\x80") && (text.size() <= 8 || text[8] != '{'))
    throw file_error(sentence(path_in_quotes(path), " is a pickle that torch.save did not write"));
  return parse_safetensors(mapping.bytes, mapping.owner, path);
}

}  // namespace effnet
