#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <effnet/io/write_safetensors.hpp>

namespace example {

/// Rows of equal length that become a tensor [rows, columns] in a safetensors file.
class tensor_table {
 public:
  void add(std::span<const float> row) {
    columns_ = row.size();
    values_->insert(values_->end(), row.begin(), row.end());
  }

  void write(const std::string& path, const std::string& name,
             std::map<std::string, std::string> metadata = {}) const {
    const std::size_t rows = columns_ > 0 ? values_->size() / columns_ : 0;
    effnet::raw_tensor tensor;
    tensor.shape = {static_cast<std::int64_t>(rows), static_cast<std::int64_t>(columns_)};
    tensor.data = reinterpret_cast<const std::byte*>(values_->data());
    tensor.owner = values_;
    effnet::write_safetensors(path, {{{name, tensor}}, std::move(metadata), path});
  }

 private:
  std::size_t columns_ = 0;
  std::shared_ptr<std::vector<float>> values_ = std::make_shared<std::vector<float>>();
};

}  // namespace example
