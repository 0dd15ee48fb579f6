#pragma once

/// The reference backend: `effnet::reference_backend`. Needs Eigen and nothing else.

#include <effnet/reference/reference_backend.hpp>
