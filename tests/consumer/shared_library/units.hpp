#pragma once

#include <vector>

/// Logits of EfficientNetV2-B0 with the same weights, for the same picture.
std::vector<float> logits_of_shared_library();
std::vector<float> logits_of_reference_unit();
