#pragma once

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace effnet::testing {

/// A file or folder of the shared data (real weights, photos, outputs of other implementations),
/// looked for under $EFFNET_SHARED, else where the build was told. Where it is absent the calling
/// test prints why it is skipped (CTest counts it as such) and returns.
inline std::optional<std::filesystem::path> shared_data(std::string_view relative) {
  const char* named = std::getenv("EFFNET_SHARED");
#ifdef EFFNET_SHARED_DEFAULT
  if (named == nullptr || *named == 0) named = EFFNET_SHARED_DEFAULT;
#endif
  if (named != nullptr && *named != 0) {
    std::filesystem::path path = std::filesystem::path(named) / relative;
    if (std::filesystem::exists(path)) return path;
  }
  std::printf("SKIPPED: %.*s is not there; set EFFNET_SHARED to the folder that holds it\n",
              static_cast<int>(relative.size()), relative.data());
  return std::nullopt;
}

}  // namespace effnet::testing
